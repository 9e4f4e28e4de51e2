"""Ready questions to the tables of one configuration, for assets, notebooks and tools. Parameterised, read
only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.tables import TABLES

if TYPE_CHECKING:
    from psycopg import Connection

Rows = list[dict[str, Any]]

_OBJECTS_BY_TEXT = """
SELECT id, kind, name, synonym, comment, ts_rank(search, wanted) AS rank
FROM onec.objects, websearch_to_tsquery('russian', %(text)s || ' or ' || onec.split_words(%(text)s)) AS wanted
WHERE configuration = %(configuration)s AND search @@ wanted
    AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
ORDER BY rank DESC, id LIMIT %(limit)s
"""

_METHODS_OF_OBJECT = """
SELECT id, module_id, name, kind, is_export, directive, signature, region, start_line, end_line,
    cyclomatic, cognitive
FROM onec.methods WHERE configuration = %(configuration)s AND object_id = %(object_id)s
ORDER BY module_id, start_line
"""

_CALLERS_OF_METHOD = """
SELECT c.caller_id, c.module_id, c.line, c.resolution FROM onec.calls AS c
WHERE c.configuration = %(configuration)s AND c.target_id = %(method_id)s
ORDER BY c.caller_id, c.line LIMIT %(limit)s
"""

_REFERENCES_TO = """
SELECT kind, source_id, source_object_id, detail FROM onec."references"
WHERE configuration = %(configuration)s AND target_id = %(target_id)s ORDER BY kind, source_id LIMIT %(limit)s
"""

_TABLE_SIZES = """
SELECT parent.relname AS "table", GREATEST(part.reltuples, 0)::bigint AS estimated_rows,
    pg_table_size(part.oid) AS data_bytes, pg_indexes_size(part.oid) AS index_bytes
FROM pg_class AS part
JOIN pg_inherits ON inhrelid = part.oid JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relnamespace = to_regnamespace('onec') AND parent.relname = ANY(%(tables)s)
    AND part.relkind = 'r' AND obj_description(part.oid, 'pg_class') = %(configuration)s
ORDER BY data_bytes DESC
"""


def objects_by_text(
    connection: Connection, configuration: str, text: str, kinds: list[str] | None = None, limit: int = 20
) -> Rows:
    """Objects whose name, synonym or comment says it, best first; Russian morphology, identifiers split at
    case."""
    return _rows(connection, _OBJECTS_BY_TEXT, configuration, text=text, kinds=kinds, limit=limit)


def methods_of_object(connection: Connection, configuration: str, object_id: str) -> Rows:
    """All methods of an object's modules, in order of the source."""
    return _rows(connection, _METHODS_OF_OBJECT, configuration, object_id=object_id)


def callers_of_method(connection: Connection, configuration: str, method_id: str, limit: int = 1000) -> Rows:
    return _rows(connection, _CALLERS_OF_METHOD, configuration, method_id=method_id, limit=limit)


def references_to(connection: Connection, configuration: str, target_id: str, limit: int = 1000) -> Rows:
    """Everything that points at an object, a field or a method."""
    return _rows(connection, _REFERENCES_TO, configuration, target_id=target_id, limit=limit)


def table_sizes(connection: Connection, configuration: str) -> Rows:
    """Estimated rows, bytes of data and of indexes per table of a configuration, largest first."""
    return _rows(connection, _TABLE_SIZES, configuration, tables=list(TABLES))


def _rows(connection: Connection, query: str, configuration: str, **parameters: Any) -> Rows:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), {"configuration": configuration, **parameters}).fetchall()
