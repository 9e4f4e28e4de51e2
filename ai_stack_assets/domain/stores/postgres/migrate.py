"""Brings a database to the schema of this release, once, whoever comes first. The steps:
`migrations/versions`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.domain.stores.postgres.errors import SETTING
from ai_stack_assets.domain.stores.postgres.schema import SCHEMA, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config
    from psycopg import Connection

HEAD = "0003"
"""Newest version in `migrations/versions`. Known here so that a database in order costs one query and no
alembic."""

_LOCK = "onec schema"


def upgrade(connection: Connection, connect: Callable[[], Connection]) -> None:
    """Apply what is missing; data stay. Other processes wait, then find nothing to do.

    Raises PermanentError for a database of a newer release, or one that cannot hold Russian text.
    """
    if schema_version(connection) == HEAD:
        return
    (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
    if encoding != "UTF8":
        raise PermanentError(
            f"the database is encoded in {encoding}, Russian names need UTF8: name another one in {SETTING}"
        )
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [_LOCK])
    try:
        if (found := schema_version(connection)) != HEAD:
            refuse_unknown(found)
            _apply(connection, connect)
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_LOCK])


def schema_version(connection: Connection) -> str | None:
    """The recorded version; None for a database that never had one."""
    from psycopg.sql import SQL, Identifier

    if connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.{VERSION_TABLE}"]).fetchone() == (None,):
        return None
    query = SQL("SELECT version_num FROM {}").format(Identifier(SCHEMA, VERSION_TABLE))
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def configuration() -> Config:
    """alembic's own settings, for its commands too: no ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def refuse_unknown(version: str | None) -> None:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    if version is None:
        return
    try:
        ScriptDirectory.from_config(configuration()).get_revision(version)
    except CommandError:
        raise PermanentError(
            f"the database has schema version {version}, this release knows up to {HEAD}: "
            f"a newer ai_stack_assets has used it. Upgrade this one, or name another database in {SETTING}"
        ) from None


def _apply(connection: Connection, connect: Callable[[], Connection]) -> None:
    from alembic import command
    from psycopg.sql import SQL, Identifier
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(SCHEMA)))
    _add_trigrams(connection)
    config = configuration()
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as alembic_connection:
            alembic_connection.connection.dbapi_connection.autocommit = False  # ty: ignore[invalid-assignment]
            config.attributes["connection"] = alembic_connection
            command.upgrade(config, HEAD)
    except DBAPIError as error:
        raise (error.orig or error) from error
    _describe(connection)


def _add_trigrams(connection: Connection) -> None:
    """For search by a piece of a name, where the server has the extension and lets us use it."""
    import psycopg

    if connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone():
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except psycopg.errors.InsufficientPrivilege:
            return


def _describe(connection: Connection) -> None:
    """The lake's descriptions as comments, for whoever opens the database in a tool."""
    from psycopg.sql import SQL, Identifier

    for table in TABLES.values():
        name = Identifier(SCHEMA, table.name)
        connection.execute(SQL("COMMENT ON TABLE {} IS {}").format(name, table.description))
        for column in table.columns:
            place = Identifier(SCHEMA, table.name, column.name)
            connection.execute(SQL("COMMENT ON COLUMN {} IS {}").format(place, column.description))
