"""One writer of a configuration's documents at a time, among all machines. Elasticsearch has no locks and no sessions:
a lease is a document that its holder writes anew every few seconds, and that only one client can create or replace, as
the server compares its sequence number. A holder that was killed stops writing, and its lease is taken over.

Nobody's clock is compared with another's: a waiter takes a lease that it has watched unchanged for `LEASE_SECONDS`."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import TransientError

if TYPE_CHECKING:
    import elasticsearch as es

INDEX = "onec-writers"
LEASE_SECONDS = 30.0
_SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
_MAPPINGS: Any = {"dynamic": False, "properties": {}}

Place = tuple[int, int]
"""Sequence number and primary term: changes with every write of a document."""


@contextlib.contextmanager
def writing(
    client: es.Elasticsearch, name: str, wait_seconds: float, lease_seconds: float = LEASE_SECONDS
) -> Generator[Callable[[], None]]:
    """Waits for its turn; gives a function that raises TransientError when the lease may be another's by now."""
    lease = _Lease(client, name, lease_seconds)
    lease.take(wait_seconds)
    renewal = threading.Thread(target=lease.keep, daemon=True)
    renewal.start()
    try:
        yield lease.require
    finally:
        lease.released.set()
        renewal.join()
        lease.free()


class _Lease:
    def __init__(self, client: es.Elasticsearch, name: str, seconds: float) -> None:
        self.client, self.name, self.seconds = client, name, seconds
        self.released = threading.Event()
        self._body = {"holder": uuid.uuid4().hex}
        self._place: Place = (0, 0)
        self._renewed_at = 0.0
        self._is_lost = False

    def take(self, wait_seconds: float) -> None:
        if not self.client.indices.exists(index=INDEX):
            with contextlib.suppress(_bad_request()):  # another one was faster
                self.client.indices.create(index=INDEX, mappings=_MAPPINGS, settings=_SETTINGS)
        until, watched, since = time.monotonic() + wait_seconds, None, time.monotonic()
        while not self._taken_over(watched if time.monotonic() - since > self.seconds else None):
            if (seen := self._seen()) != watched:
                watched, since = seen, time.monotonic()
            if time.monotonic() > until:
                raise TransientError(
                    f"another run is writing {self.name}: not free within {wait_seconds:g} s"
                )
            time.sleep(min(1.0, self.seconds / 10))

    def keep(self) -> None:
        while not self.released.wait(self.seconds / 3) and not self._is_lost:
            with contextlib.suppress(Exception):  # `require` sees that it was not renewed
                self._is_lost = not self._taken_over(self._place)

    def require(self) -> None:
        if self._is_lost or time.monotonic() - self._renewed_at > self.seconds:
            raise TransientError(f"the lease of {self.name} was lost: this run was held up for too long")

    def free(self) -> None:
        number, term = self._place
        with contextlib.suppress(Exception):  # one that is not freed runs out
            self.client.delete(index=INDEX, id=self.name, if_seq_no=number, if_primary_term=term)

    def _taken_over(self, place: Place | None) -> bool:
        """Creates the document, or replaces it when it is still in this place. False: another one was faster."""
        began = time.monotonic()
        try:
            if place is None:
                done = self.client.create(index=INDEX, id=self.name, document=self._body)
            else:
                done = self.client.index(
                    index=INDEX,
                    id=self.name,
                    document=self._body,
                    if_seq_no=place[0],
                    if_primary_term=place[1],
                )
        except _conflict():
            return False
        self._place, self._renewed_at = (done["_seq_no"], done["_primary_term"]), began
        return True

    def _seen(self) -> Place | None:
        found = self.client.options(ignore_status=404).get(index=INDEX, id=self.name, source=False)
        return (found["_seq_no"], found["_primary_term"]) if found.get("found") else None


def _conflict() -> type[Exception]:
    import elasticsearch as es

    return es.ConflictError


def _bad_request() -> type[Exception]:
    import elasticsearch as es

    return es.BadRequestError
