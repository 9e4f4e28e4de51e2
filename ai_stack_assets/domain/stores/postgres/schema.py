"""The database schema as the store sees it: names, foreign keys, partitions. The tables themselves:
`migrations`.

A configuration is one partition of every table. So its first load is a plain COPY into tables that nobody
else sees, with indexes and keys built once afterwards, its rows lie together, and dropping it is dropping its
tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.domain.stores.names import slug

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed, Identifier

SCHEMA = "onec"
MODELS = "ml"
"""Schema of `model_registry`: decisions about trained models."""
VERSION_TABLE = "schema_version"

FOREIGN_KEYS: dict[str, dict[str, str]] = {
    "objects": {"owner_id": "objects"},
    "fields": {"object_id": "objects", "parent_id": "fields"},
    "references": {"source_object_id": "objects"},
    "modules": {"object_id": "objects"},
    "methods": {"module_id": "modules", "object_id": "objects"},
    "calls": {"module_id": "modules", "target_id": "methods"},
    "queries": {"object_id": "objects"},
}
"""Column -> table, within one configuration. Checked at commit, so the order of writing does not matter."""


def partition(table: str, configuration: str) -> Identifier:
    from psycopg.sql import Identifier

    return Identifier(SCHEMA, f"{table}_{slug(configuration)}")


def missing(connection: Connection, configuration: str) -> list[str]:
    """Tables without a partition of it: all before a first load, a new one after an upgrade."""
    names = [partition(table, configuration).as_string(connection) for table in TABLES]
    rows = connection.execute("SELECT to_regclass(name) IS NULL FROM unnest(%s::text[]) AS name", [names])
    return [table for table, (is_missing,) in zip(TABLES, rows, strict=True) if is_missing]


def create_partitions(connection: Connection, configuration: str, tables: list[str]) -> None:
    """Empty tables, still apart: no indexes, no keys, nobody waits for them."""
    from psycopg.sql import SQL, Identifier

    for table in tables:
        name = partition(table, configuration)
        connection.execute(
            SQL("CREATE TABLE {} (LIKE {} INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS)").format(
                name, Identifier(SCHEMA, table)
            )
        )
        connection.execute(
            SQL("ALTER TABLE {} ALTER configuration SET DEFAULT {}").format(name, configuration)
        )
        connection.execute(SQL("COMMENT ON TABLE {} IS {}").format(name, configuration))


def attach_partitions(connection: Connection, configuration: str, tables: list[str]) -> None:
    """Make the loaded tables part of the schema: builds keys, indexes, triggers as the parents have them."""
    from psycopg.sql import SQL, Identifier

    for table in tables:
        connection.execute(
            SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                Identifier(SCHEMA, table), partition(table, configuration), configuration
            )
        )
    for table, keys in FOREIGN_KEYS.items():
        new = {column: to for column, to in keys.items() if table in tables or to in tables}
        if new:
            connection.execute(_foreign_keys(table, new, configuration))
    for table in tables:
        # the columns that queries join by; long texts would take most of the time
        columns = [c for c in TABLES[table].column_names if c in ("id", "kind", "name") or c.endswith("_id")]
        names = SQL(", ").join(map(Identifier, columns))
        connection.execute(SQL("ANALYZE {} ({})").format(partition(table, configuration), names))


def drop_partitions(connection: Connection, configuration: str) -> None:
    from psycopg.sql import SQL

    names = SQL(", ").join(partition(table, configuration) for table in TABLES)
    connection.execute(SQL("DROP TABLE IF EXISTS {} CASCADE").format(names))


def configurations(connection: Connection) -> list[str]:
    """Those that have partitions. The name is the comment of each partition."""
    rows = connection.execute(
        "SELECT obj_description(inhrelid, 'pg_class') FROM pg_inherits WHERE inhparent = to_regclass(%s)",
        [f"{SCHEMA}.objects"],
    )
    return sorted(name for (name,) in rows if name)


def _foreign_keys(table: str, keys: dict[str, str], configuration: str) -> Composed:
    from psycopg.sql import SQL, Identifier

    clauses = (
        SQL(
            "ADD FOREIGN KEY (configuration, {}) REFERENCES {} (configuration, id) "
            "DEFERRABLE INITIALLY DEFERRED"
        ).format(Identifier(column), partition(target, configuration))
        for column, target in keys.items()
    )
    return SQL("ALTER TABLE {} {}").format(partition(table, configuration), SQL(", ").join(clauses))
