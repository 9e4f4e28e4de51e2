"""From query texts' tables and fields to the objects and fields of the configuration that they read. Names
are matched as the platform does: without regard to case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

_TOTALS = "(начальный|конечный)?(развернутый)?(остаток|оборот|приход|расход)(дт|кт)?$"
"""What the totals tables of registers add to a resource's name: `СуммаОстаток`, `СуммаКонечныйОстатокДт`."""


class _Table(msgspec.Struct):
    name: str
    object_id: str | None = None
    field_id: str | None = None


class _Read(NamedTuple):
    query: int
    target_id: str | None
    """Of the table read; null for a field."""
    field_key: str | None
    """`<id of what holds the field>.<name in lower case>`; null for a table."""
    name: str


def table_reads(queries: pa.Table, fields: pa.Table) -> pa.Table:
    """`query` (row in `queries`), `target_id` (object or field, null when not found), `name` (as the query
    writes it).

    Args:
        queries: the lake's `tables` and `fields` of each query.
        fields: the lake's `id, name, object_id, parent_id`.

    Fields that are no rows of `fields` (standard attributes, computed columns) give nothing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types = {"query": pa.int64(), "target_id": pa.string(), "field_key": pa.string(), "name": pa.string()}
    reads = list(_reads(queries["tables"].to_pylist(), queries["fields"].to_pylist()))
    columns = zip(*reads, strict=True) if reads else ([] for _ in types)
    table = pa.table(
        [pa.array(values, kind) for values, kind in zip(columns, types.values(), strict=True)], list(types)
    )
    holder = pc.coalesce(fields["parent_id"], fields["object_id"])
    known = pc.binary_join_element_wise(holder, pc.utf8_lower(fields["name"]), ".")
    place = pc.index_in(table["field_key"], known)
    resource = pc.index_in(pc.replace_substring_regex(table["field_key"], _TOTALS, ""), known)
    found = pc.take(fields["id"], pc.coalesce(place, resource))
    table = table.set_column(1, "target_id", pc.coalesce(table["target_id"], found)).drop_columns("field_key")
    return table.filter(pc.is_valid(table["target_id"]))


def _reads(tables: list[str], fields: list[str]) -> Iterator[_Read]:
    decode_tables = msgspec.json.Decoder(list[_Table]).decode
    decode_fields = msgspec.json.Decoder(list[str]).decode
    for query, (tables_json, fields_json) in enumerate(zip(tables, fields, strict=True)):
        holders = {}
        for table in decode_tables(tables_json):
            if table.object_id:
                holders[table.name.lower()] = table.field_id or table.object_id
                yield _Read(query, table.object_id, None, table.name)
                if table.field_id:
                    yield _Read(query, table.field_id, None, table.name)
        for name in decode_fields(fields_json):
            lower = name.lower()
            holder = next(
                (h for h in sorted(holders, key=len, reverse=True) if lower.startswith(h + ".")), None
            )
            if holder:
                yield _Read(query, None, f"{holders[holder]}.{lower[len(holder) + 1 :].split('.')[0]}", name)
