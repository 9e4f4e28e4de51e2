"""One writer of a configuration's graph at a time, among all machines: held by an open transaction of the
server, which ends it when the writer's connection does. So a kill leaves no lock behind, and nothing is stored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.stores.graph.schema import LOCK

if TYPE_CHECKING:
    import neo4j

HOLD_SECONDS = 6 * 3600
"""The server frees a lock that is older: of a machine that vanished without closing its connection."""
_TRY_SECONDS = 2
_TIMED_OUT = ("TransactionTimedOut", "LockClientStopped", "LockAcquisitionTimeout", "Terminated")

_TAKE: Any = f"MERGE (l:`{LOCK}` {{configuration: $configuration}})"


@contextlib.contextmanager
def writing(session: neo4j.Session, configuration: str, wait_seconds: float) -> Generator[Callable[[], None]]:
    """Waits for its turn; gives a function that raises TransientError when the lock is lost.

    `session` must be one that nothing else uses. The node that is merged here is never committed: the unique
    constraint makes a second writer wait for the end of this transaction.
    """
    _wait(session, configuration, wait_seconds)
    with session.begin_transaction(timeout=HOLD_SECONDS, metadata={"lock": configuration}) as transaction:
        transaction.run(_TAKE, configuration=configuration).consume()
        try:
            yield lambda: _require(transaction, configuration)
        finally:
            with contextlib.suppress(Exception):  # a connection that is gone has freed the lock
                transaction.rollback()


def _wait(session: neo4j.Session, configuration: str, wait_seconds: float) -> None:
    """Short attempts: a server bounds the time of a transaction, not that of waiting in it."""
    until = time.monotonic() + wait_seconds
    while not _is_free(session, configuration):
        if time.monotonic() > until:
            raise TransientError(
                f"another run is writing the graph of {configuration!r}: not free within {wait_seconds:g} s"
            )


def _is_free(session: neo4j.Session, configuration: str) -> bool:
    from neo4j.exceptions import Neo4jError

    try:
        with session.begin_transaction(timeout=_TRY_SECONDS) as transaction:
            transaction.run(_TAKE, configuration=configuration).consume()
            transaction.rollback()
    except Neo4jError as error:
        if any(word in (error.code or "") for word in _TIMED_OUT):
            return False
        raise
    return True


def _require(transaction: neo4j.Transaction, configuration: str) -> None:
    from neo4j.exceptions import DriverError, Neo4jError

    try:
        transaction.run("RETURN 1").consume()
    except (DriverError, Neo4jError) as error:
        raise TransientError(f"the lock of the graph of {configuration!r} was lost: {error}") from error
