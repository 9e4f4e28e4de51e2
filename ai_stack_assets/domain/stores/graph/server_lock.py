"""One writer of a configuration's graph at a time, among all machines: held by an open transaction of the
server, which ends it when the writer's connection does. So a kill leaves no lock behind, and nothing is stored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.stores.graph.schema import LOCK

if TYPE_CHECKING:
    import neo4j

HOLD_SECONDS = 6 * 3600
"""The server frees a lock that is older: of a machine that vanished without closing its connection."""
_TRY_SECONDS = 2
_DOOR, _DOOR_SECONDS = "\n", 10
_TIMED_OUT = ("TransactionTimedOut", "LockClientStopped", "LockAcquisitionTimeout", "Terminated")

Sessions = Callable[[], AbstractContextManager["neo4j.Session"]]
"""Each call opens one."""

_TAKE: Any = f"MERGE (l:`{LOCK}` {{configuration: $configuration}})"


@contextlib.contextmanager
def writing(sessions: Sessions, configuration: str, wait_seconds: float) -> Generator[Callable[[], None]]:
    """Waits for its turn; gives a function that raises TransientError when the lock is lost.

    The node that is merged here is never committed: the unique constraint makes a second writer wait for the end of
    this transaction.
    """
    with sessions() as session:
        transaction = _taken(sessions, session, configuration, wait_seconds)
        try:
            yield lambda: _require(transaction, configuration)
        finally:
            _free(transaction)


def _taken(
    sessions: Sessions, session: neo4j.Session, configuration: str, wait_seconds: float
) -> neo4j.Transaction:
    """Short attempts: a server bounds the time of a transaction, not that of waiting in it. They go through a door, one at
    a time, so that a lock which was found free still is when it is taken for long."""
    until = time.monotonic() + wait_seconds
    while True:
        with sessions() as other:
            if door := _locked(other, f"{configuration}{_DOOR}", _DOOR_SECONDS):
                try:
                    if probe := _locked(session, configuration, _TRY_SECONDS):
                        probe.rollback()
                        if taken := _locked(session, configuration, HOLD_SECONDS):
                            return taken
                finally:
                    _free(door)
        if time.monotonic() > until:
            raise TransientError(
                f"another run is writing the graph of {configuration!r}: not free within {wait_seconds:g} s"
            )


def _locked(session: neo4j.Session, name: str, seconds: float) -> neo4j.Transaction | None:
    """An open transaction that holds the lock for at most so long; None when it did not get it in that time."""
    from neo4j.exceptions import Neo4jError

    transaction = session.begin_transaction(timeout=seconds, metadata={"lock": name})
    try:
        transaction.run(_TAKE, configuration=name).consume()
    except Neo4jError as error:
        _free(transaction)
        if any(word in (error.code or "") for word in _TIMED_OUT):
            return None
        raise
    return transaction


def _free(transaction: neo4j.Transaction) -> None:
    with contextlib.suppress(Exception):  # a connection that is gone has freed the lock
        transaction.rollback()


def _require(transaction: neo4j.Transaction, configuration: str) -> None:
    from neo4j.exceptions import DriverError, Neo4jError

    try:
        transaction.run("RETURN 1").consume()
    except (DriverError, Neo4jError) as error:
        raise TransientError(
            f"the lock of the graph of {configuration!r} was lost, as the server of NEO4J_URI does not answer: {error}"
        ) from error
