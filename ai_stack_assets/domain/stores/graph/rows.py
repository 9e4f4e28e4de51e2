"""Rows of collections, of whatever origin: their ids, hashes and columns. The lake's and an engine's rows go
the same way here, so that equal content has equal hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.hashing import row_hashes
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS

if TYPE_CHECKING:
    import pyarrow as pa

_REPEATED = "repeated"


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


def id_and_hash_once(collection: str, rows: pa.Table) -> pa.Table:
    """As `id_and_hash`, of rows that an engine holds: a repeated id gets one row, whose hash differs from
    every other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = id_and_hash(collection, rows)
    counts = pc.value_counts(found["id"])
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if not len(repeated):
        return found
    once = found.filter(pc.invert(pc.is_in(found["id"], repeated)))
    return pa.concat_tables([once, pa.table({"id": repeated, "content_hash": [_REPEATED] * len(repeated)})])


def by_ends(rows: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    """Relationships by the labels that they join: engines write one pair of labels at a time."""
    import pyarrow.compute as pc

    source, target = (rows[name].cast("string") for name in ("from_label", "to_label"))
    for a in sorted(pc.unique(source).to_pylist()):
        for b in sorted(pc.unique(target).to_pylist()):
            part = rows.filter(pc.and_(pc.equal(source, a), pc.equal(target, b)))
            if part.num_rows:
                yield a, b, part


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


def look_up(values: pa.ChunkedArray, known: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """Where each value is in `known`, int32; null when it is not there. Each distinct value of a dictionary
    is looked up once: a third of the time for 287,000 calls by 20,000 callers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(values.type) or not values.num_chunks:
        return pc.index_in(values.cast("string"), known)
    chunks = values.unify_dictionaries().chunks
    places = pc.index_in(chunks[0].dictionary, known)
    return pa.chunked_array([places.take(chunk.indices) for chunk in chunks], pa.int32())
