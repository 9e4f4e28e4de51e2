"""Opens PostgreSQL for one configuration at a time: connection, schema, lock. The work itself: `store`,
`queries`."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.postgres import migrate, schema
from ai_stack_assets.domain.stores.postgres.errors import SETTING, translated
from ai_stack_assets.domain.stores.postgres.watch import watched

if TYPE_CHECKING:
    from psycopg import Connection

    from ai_stack_assets.domain.stores.postgres.store import PostgresStore

_UNREADABLE = "(unreadable URL)"


@dataclass(frozen=True)
class Postgres:
    """A server by URL: `postgresql://user:password@host:5432/database`, an embedded one by
    `embedded.serve(folder)`."""

    url: str = field(repr=False)
    connect_seconds: int = 10
    lock_seconds: int = 300
    """How long to wait for another run of the same configuration."""
    statement_seconds: int = 600
    silence_seconds: int = 60
    """How long a server may answer nobody, see `watch`."""

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[PostgresStore]:
        """One at a time per configuration: a second one waits, up to `lock_seconds`. A dead process frees its
        lock."""
        from ai_stack_assets.domain.stores.postgres.store import PostgresStore

        with self.connected() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 1))", [configuration])
            yield PostgresStore(connection, configuration, rebuild=rebuild)

    @contextlib.contextmanager
    def connected(self) -> Generator[Connection]:
        """A connection (autocommit) to a database with the schema of this release.

        Raises TransientError and PermanentError, for what happens inside the block too.
        """
        with (
            translated(self.server),
            self.connect() as connection,
            watched(connection, self.connect, self.silence_seconds),
        ):
            migrate.upgrade(connection, self.connect)
            yield connection

    def configurations(self) -> list[str]:
        with self.connected() as connection:
            return schema.configurations(connection)

    def drop(self, configuration: str) -> None:
        with self.open(configuration) as store, store.connection.transaction():
            schema.drop_partitions(store.connection, configuration)

    @property
    def server(self) -> str:
        """Host, port and database, for messages: never the password, nor what a mistyped URL makes of it."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            parts = conninfo_to_dict(self._conninfo)
        except psycopg.Error:
            return _UNREADABLE
        host, port = str(parts.get("host") or "localhost"), str(parts.get("port") or 5432)
        database = str(parts.get("dbname") or "").rpartition("@")[2]
        is_misread = ("@" in host and host[0] != "/") or not port.replace(",", "").isdigit()
        return _UNREADABLE if is_misread else f"{host}:{port}/{database}"

    @property
    def _conninfo(self) -> str:
        return self.url.replace("postgresql+psycopg://", "postgresql://", 1)

    def connect(self) -> Connection:
        """To whatever is there: the schema is not looked at. Errors are psycopg's.

        Raises PermanentError for a URL that cannot be read: psycopg's own error would quote it.
        """
        import psycopg

        if self.server == _UNREADABLE:
            raise PermanentError(
                f"the setting {SETTING} cannot be read; it is postgresql://user:password@host:5432/database, with "
                "special characters of the password as %XX"
            )
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=self.connect_seconds,
            application_name="ai_stack_assets",
            # a server that vanished is noticed within a minute, not after two hours
            keepalives_idle=20,
            keepalives_interval=10,
            keepalives_count=3,
            options=f"-c lock_timeout={self.lock_seconds}s -c statement_timeout={self.statement_seconds}s "
            "-c client_encoding=UTF8 -c timezone=UTC",
        )
