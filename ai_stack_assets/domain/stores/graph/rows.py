"""Rows of collections, of whatever origin: their ids, hashes and columns. The lake's and an engine's rows go
the same way here, so that equal content has equal hashes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.hashing import row_hashes
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS

if TYPE_CHECKING:
    import pyarrow as pa


def relationship_ids(source: Any, target: Any, kind: Any | None) -> Any:
    """`<from>><kind>><to>`, or `<from>><to>` when the type has no kinds."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(source, *([] if kind is None else [kind]), target, ">")


def id_and_hash(collection: str, rows: pa.Table) -> pa.Table:
    """`id, content_hash` over exactly what an engine stores, so that the engine's own rows hash the same."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {"id": rows["id"]}
    for name, values in properties(collection, rows):
        is_list = pa.types.is_list(values.type)
        columns[name] = pc.binary_join(values, "\x1e") if is_list else values
    return pa.table({"id": rows["id"], "content_hash": row_hashes(pa.table(columns))})


def properties(collection: str, rows: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    """Columns in the schema's order and types."""
    wanted = schema.arrow_schema(collection)
    return [
        (p.name, rows[p.name].cast(wanted.field(p.name).type)) for p in COLLECTIONS[collection].properties
    ]


def as_nodes(label: str, table: pa.Table) -> pa.Table:
    wanted = schema.arrow_schema(label)
    return table.select(wanted.names).cast(wanted)


def strings(values: Iterable[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
