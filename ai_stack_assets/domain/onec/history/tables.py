"""The tables of history: what each of their rows and columns is. One part a day, and only for days on which something changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, NamedTuple

from ai_stack_assets.domain.onec.tables import Table, table_of

if TYPE_CHECKING:
    import pyarrow as pa

READ, ABSENT = "read", "absent"


class HistoryRow(NamedTuple):
    """One state of a configuration: how it was when a day ended that had changed it, and what it consisted of then."""

    day: Annotated[str, "The day that ended with it, `2020-01-16`, in the platform's time zone"]
    commit: Annotated[str, "Commit of its repository"]
    committed_at: Annotated[str, "When that came to be the branch's state, UTC"]
    previous_commit: Annotated[
        str | None, "State that changes are counted against; null for the first one known"
    ]
    status: Annotated[str, "`read`, or `absent`: the commit holds no configuration at the path"]
    reason: Annotated[str | None, "Why it is absent"]
    objects: Annotated[int, "Metadata objects at any level"]
    fields: Annotated[int, "Their parts"]
    modules: Annotated[int, "Modules"]
    lines: Annotated[int, "Lines of code"]
    methods: Annotated[int, "Procedures and functions"]
    exports: Annotated[int, "Methods with `Экспорт`"]
    statements: Annotated[int, "Statements in methods"]
    cyclomatic: Annotated[int, "Cyclomatic complexity, sum over methods"]
    cognitive: Annotated[int, "Cognitive complexity, sum over methods"]
    duplicate_methods: Annotated[
        int, "Methods whose whole source is that of another one, beyond the first of each"
    ]
    calls: Annotated[int, "Call sites"]
    queries: Annotated[int, "Query texts in code, dynamic lists and data composition schemas"]
    rejected: Annotated[int, "What could not be read"]
    objects_added: Annotated[
        int | None, "Against the previous commit; null when there is none, as all that follow"
    ]
    objects_changed: Annotated[int | None, "Their metadata, fields, rights or links say something else"]
    objects_removed: Annotated[int | None, "No longer there"]
    methods_added: Annotated[int | None, "New ids; a renamed method is one removed and one added"]
    methods_changed: Annotated[int | None, "Same id, other source"]
    methods_removed: Annotated[int | None, "No longer there"]


class HistoryKindRow(NamedTuple):
    """One kind of metadata object in one state of a configuration, and how many of them there were."""

    day: Annotated[str, "As in `history`"]
    kind: Annotated[str, "`Catalog`, `Form`, `CommonModule`…"]
    objects: Annotated[int, "How many"]


class HistoryChangeRow(NamedTuple):
    """One object or method that was added, changed or removed between two states of a configuration."""

    day: Annotated[str, "As in `history`: the day that ended with the later state"]
    what: Annotated[str, "`object` or `method`"]
    change: Annotated[str, "`added`, `changed` or `removed`"]
    kind: Annotated[str, "Kind of the object; `Procedure` or `Function`"]
    id: Annotated[str, "`objects.id` or `methods.id`"]


HISTORY_TABLES: dict[str, Table] = {
    name: table_of(name, row)
    for name, row in {
        "history": HistoryRow,
        "history_kinds": HistoryKindRow,
        "history_changes": HistoryChangeRow,
    }.items()
}


def arrow(table: str, rows: Iterable[tuple]) -> pa.Table:
    """Row tuples as an Arrow table of the right schema."""
    import pyarrow as pa

    schema = HISTORY_TABLES[table].arrow_schema()
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, f.type) for column, f in zip(columns, schema, strict=True)], schema=schema
    )
