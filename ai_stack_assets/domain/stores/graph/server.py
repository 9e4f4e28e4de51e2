"""The graph in a Neo4j server (5 or later): connection, failures by the setting to look at, reading,
dropping.

All configurations lie together: every node has `configuration` and `id`, unique together. What is written,
and how, is in `server_store`. The driver is imported when the server is first used."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.schema import NODE, OBJECT, STATE
from ai_stack_assets.domain.stores.graph.server_lock import writing

if TYPE_CHECKING:
    import neo4j

    from ai_stack_assets.domain.stores.graph.server_store import ServerStore

OLDEST = 5
SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
DROP_ROWS = 10_000
_NO_DATABASE = "Neo.ClientError.Database.DatabaseNotFound"
COMPLETE, INCOMPLETE = "complete", "incomplete"


@dataclass(frozen=True)
class Neo4jGraph:
    """Opens the graphs of one server."""

    uri: str
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None
    """The server's default when None."""
    ca: str = ""
    """PEM file of the authority that signed the server's certificate; empty: those of the machine, by the address."""
    connect_seconds: float = 10
    retry_seconds: float = 60
    """For how long a deadlock or a lost connection is tried again."""
    lock_seconds: float = 600
    """How long a writer waits for another one of the same configuration."""

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[ServerStore]:
        """One at a time per configuration, see `server_lock`. A rebuild deletes first: readers are told to come again."""
        from ai_stack_assets.domain.stores.graph.server_store import ServerStore

        with self._driver() as driver, driver.session(database=self.database) as session:
            for statement in (*schema.neo4j_ddl(), "CALL db.awaitIndexes(300)"):
                session.execute_write(_run, statement)
            with self._writing(driver, configuration) as require_lock:
                if rebuild:
                    _delete_all(session, configuration)
                yield ServerStore(configuration, session, require_lock)

    def _writing(
        self, driver: neo4j.Driver, configuration: str
    ) -> AbstractContextManager[Callable[[], None]]:
        return writing(lambda: driver.session(database=self.database), configuration, self.lock_seconds)

    @contextlib.contextmanager
    def reader(self, configuration: str) -> Generator[ServerReader]:
        """For queries.

        Raises PermanentError when the configuration was never written, TransientError while a load too large
        for one transaction is under way (or was interrupted: the next synchronisation completes it)."""
        with self._session() as session:
            (found,) = _read(
                session,
                f"OPTIONAL MATCH (s:`{STATE}` {{configuration: $configuration}}) RETURN s.state AS state, "
                f"EXISTS {{ MATCH (n:`{OBJECT}` {{configuration: $configuration}}) }} AS has_rows",
                configuration=configuration,
            )
            if found["state"] == INCOMPLETE:
                raise TransientError(
                    f"the graph of {configuration!r} is being loaded into {self.uri} (NEO4J_URI)"
                )
            if not found["state"] and not found["has_rows"]:
                raise PermanentError(
                    f"the graph of {configuration!r} is not in {self.uri}: synchronise it first"
                )
            yield ServerReader(configuration, session)

    def configurations(self) -> list[str]:
        labels = "|".join(f"`{label}`" for label in (STATE, *NODE))
        with self._session() as session:
            rows = _read(session, f"MATCH (n:{labels}) RETURN DISTINCT n.configuration AS name")
            return sorted(row["name"] for row in rows if row["name"] is not None)

    def drop(self, configuration: str) -> None:
        with (
            self._driver() as driver,
            self._writing(driver, configuration),
            driver.session(database=self.database) as session,
        ):
            _delete_all(session, configuration)
            delete = f"MATCH (s:`{STATE}` {{configuration: $configuration}}) DELETE s"
            session.execute_write(_run, delete, configuration=configuration)

    @contextlib.contextmanager
    def _session(self) -> Generator[neo4j.Session]:
        with self._driver() as driver, driver.session(database=self.database) as session:
            yield session

    @contextlib.contextmanager
    def _driver(self) -> Generator[neo4j.Driver]:
        """Errors of whatever is done with it are ours."""
        import neo4j

        address, encryption = self._address()
        with self._named_failures():
            driver = neo4j.GraphDatabase.driver(
                address,
                **encryption,
                auth=(self.user, self.password),
                connection_timeout=self.connect_seconds,
                connection_acquisition_timeout=3 * self.connect_seconds,
                max_transaction_retry_time=self.retry_seconds,
                notifications_min_severity="OFF",
            )
            with driver:
                self._check_version(driver)
                yield driver

    def _address(self) -> tuple[str, dict[str, Any]]:
        """The driver takes an authority only beside an address that does not say how to encrypt."""
        import neo4j

        scheme, found, rest = self.uri.partition("://")
        if scheme not in SCHEMES or not found:
            raise PermanentError(
                f"NEO4J_URI is {self.uri!r}; it starts with one of {', '.join(SCHEMES)}, then ://"
            )
        if not self.ca:
            return self.uri, {}
        if not Path(self.ca).is_file():
            raise PermanentError(f"there is no file {self.ca}, which NEO4J_CA names")
        authority = {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(self.ca)}
        return f"{scheme.partition('+')[0]}://{rest}", authority

    def _check_version(self, driver: neo4j.Driver) -> None:
        agent = driver.get_server_info().agent
        version = agent.removeprefix("Neo4j/").split(".")[0]
        if not version.isdigit() or int(version) < OLDEST:
            raise PermanentError(f"{self.uri} (NEO4J_URI) is {agent}; Neo4j {OLDEST} or later is needed")

    @contextlib.contextmanager
    def _named_failures(self) -> Generator[None]:
        from neo4j import exceptions as failed

        try:
            yield
        except (failed.AuthError, failed.Forbidden, failed.AuthConfigurationError) as error:
            message = f"{self.uri} refuses user {self.user!r}: check NEO4J_USER and NEO4J_PASSWORD ({error})"
            raise PermanentError(message) from error
        except (failed.ConfigurationError, failed.UnsupportedServerProduct) as error:
            raise PermanentError(f"{self.uri} (NEO4J_URI) cannot be used: {error}") from error
        except (failed.DriverError, failed.Neo4jError) as error:
            if getattr(error, "code", None) == _NO_DATABASE:
                raise PermanentError(
                    f"{self.uri} has no database {self.database!r}: check NEO4J_DATABASE"
                ) from error
            if isinstance(error, failed.Neo4jError) and not error.is_retryable():
                raise PermanentError(f"{self.uri} (NEO4J_URI): {error}") from error
            if isinstance(refusal := _cause(error), ssl.SSLError):
                message = f"{self.uri}: no trust in its certificate, check NEO4J_URI and NEO4J_CA ({refusal})"
                raise PermanentError(message) from error
            raise TransientError(f"{self.uri} (NEO4J_URI) cannot be reached: {error}") from error


class ServerReader:
    """Runs the texts of `queries`."""

    def __init__(self, configuration: str, session: neo4j.Session) -> None:
        self._configuration, self._session = configuration, session

    def rows(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        return _read(self._session, text, configuration=self._configuration, **parameters)


def _delete_all(session: neo4j.Session, configuration: str) -> None:
    """All nodes but the state, which tells readers that the graph is not complete."""
    mark = f"MERGE (s:`{STATE}` {{configuration: $configuration}}) SET s.state = $state"
    session.execute_write(_run, mark, configuration=configuration, state=INCOMPLETE)
    for label in NODE:
        delete = (
            f"MATCH (n:`{label}` {{configuration: $configuration}}) WITH n LIMIT $limit "
            "DETACH DELETE n RETURN count(*) AS deleted"
        )
        deleted = DROP_ROWS
        while deleted == DROP_ROWS:
            (row,) = session.execute_write(_run, delete, configuration=configuration, limit=DROP_ROWS)
            deleted = row["deleted"]


def _read(session: neo4j.Session, text: str, **parameters: Any) -> list[dict[str, Any]]:
    return session.execute_read(_run, text, **parameters)


def _cause(error: BaseException) -> BaseException:
    """The first of the errors that led to this one."""
    while below := error.__cause__ or error.__context__:
        error = below
    return error


def _run(tx: neo4j.ManagedTransaction, text: Any, **parameters: Any) -> list[dict[str, Any]]:
    return tx.run(text, parameters).data()
