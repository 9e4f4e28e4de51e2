"""What ails PostgreSQL, see `stores.doctor`. The rights are really used, in a transaction that is rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.doctor import Findings
from ai_stack_assets.domain.stores.postgres import migrate
from ai_stack_assets.domain.stores.postgres.errors import SETTING, translated
from ai_stack_assets.domain.stores.postgres.schema import MODELS, SCHEMA

if TYPE_CHECKING:
    from psycopg import Connection

    from ai_stack_assets.domain.stores.postgres.client import Postgres

OLDEST = 15
_PROBE = "doctor"


def diagnose(client: Postgres) -> Findings:
    with translated(client.server), client.connect() as connection:
        user, database, encoding = connection.execute(
            "SELECT current_user, current_database(), current_setting('server_encoding')"
        ).fetchone() or ("", "", "")
        yield "reachable", f"{client.server} as {user}"
        major, minor = divmod(connection.info.server_version, 10_000)
        if major < OLDEST:
            raise PermanentError(
                f"PostgreSQL {major} is too old, {OLDEST} or later is needed: name another in {SETTING}"
            )
        if encoding != "UTF8":
            raise PermanentError(
                f"{database} is encoded in {encoding}, UTF8 is needed: name another one in {SETTING}"
            )
        yield "version", f"PostgreSQL {major}.{minor}, {encoding}"
        _try_rights(connection, user, database)
        yield "rights", "created, wrote and dropped a table"
        yield "schema", _schema(connection)


def _try_rights(connection: Connection, user: str, database: str) -> None:
    import psycopg
    from psycopg.sql import SQL, Identifier

    table = Identifier(SCHEMA, _PROBE)
    try:
        with connection.transaction(force_rollback=True):
            for name in (SCHEMA, MODELS):
                if connection.execute("SELECT to_regnamespace(%s)", [name]).fetchone() == (None,):
                    connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
            connection.execute(SQL("CREATE TABLE {} (id text PRIMARY KEY)").format(table))
            connection.execute(SQL("INSERT INTO {} VALUES ('x')").format(table))
            connection.execute(SQL("CREATE TEMP TABLE {} AS TABLE {}").format(Identifier(_PROBE), table))
            connection.execute(SQL("DROP TABLE {}").format(table))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PermanentError(
            f"{error.diag.message_primary}: GRANT CREATE, TEMPORARY ON DATABASE {database} TO {user} (and ON SCHEMA "
            f"{SCHEMA}, if it is another user's), or name another user in {SETTING}"
        ) from error
    foreign = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s AND NOT pg_has_role(tableowner, 'USAGE') LIMIT 1",
        [SCHEMA],
    ).fetchone()
    if foreign:
        raise PermanentError(
            f"table {SCHEMA}.{foreign[0]} belongs to another user than {user}: partitions can only be added by its owner. "
            f"GRANT that role TO {user}, or name the owner in {SETTING}"
        )


def _schema(connection: Connection) -> str:
    found = migrate.schema_version(connection)
    if found is None:
        return "none yet, the first run makes it"
    migrate.refuse_unknown(found)
    if found != migrate.HEAD:
        raise PermanentError(
            f"version {found} of an earlier release, this one has {migrate.HEAD}: the next run upgrades it, data stay"
        )
    return f"version {found}"
