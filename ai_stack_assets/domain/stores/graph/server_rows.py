"""Reading a configuration's whole graph back from Neo4j, as rows of the projection's shape.

Page by page, each page one record of whole columns; relationships name their ends by the server's own numbers.
A record a row, with the ends' names, took the driver four times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.rows import relationship_ids
from ai_stack_assets.domain.stores.graph.schema import NODE, RELATIONSHIP

if TYPE_CHECKING:
    import neo4j
    import pyarrow as pa

PAGE_NODES = 5_000

_NODES = (
    "MATCH (a:`{label}`) WHERE a.configuration = $configuration AND a.id > $after "
    "WITH a ORDER BY a.id LIMIT $limit RETURN max(a.id) AS last, [collect(id(a)), {columns}] AS columns"
)
_RELATIONSHIPS = "MATCH (a)-[r:`{type}`]->(b) WHERE id(a) IN $numbers RETURN [collect(id(a)), collect(id(b)){columns}] AS columns"
_MISSING = 0.5
"""Stands for a property that is not there, as lists keep no nulls. No property has this type."""


class ServerRows:
    """What the server holds of one configuration. Nodes are read anew each time; relationships are those between the
    nodes that were read last."""

    def __init__(self, session: neo4j.Session, configuration: str) -> None:
        self._session, self._configuration = session, configuration
        self._nodes: dict[str, tuple[pa.ChunkedArray, pa.ChunkedArray]] = {}
        """By label: the server's number of each node, its id."""

    def nodes(self, label: str) -> pa.Table:
        import pyarrow as pa

        wanted = schema.arrow_schema(label)
        numbered = pa.schema([pa.field("number", pa.int64()), *wanted])
        text = _NODES.format(label=label, columns=", ".join(_collected(f"a.`{f.name}`") for f in wanted))
        pages, after = [numbered.empty_table()], ""
        while after is not None:
            page = self._read(text, configuration=self._configuration, after=after, limit=PAGE_NODES)
            pages.append(_table(numbered, page["columns"]))
            after = page["last"]
        found = pa.concat_tables(pages)
        self._nodes[label] = (found["number"], found["id"])
        return found.drop_columns("number")

    def relationships(self, collection: str) -> pa.Table:
        """Those between nodes of the configuration; what somebody hangs on to other nodes is not ours. Columns as in
        the projection, with `from_label` and `to_label`."""
        import pyarrow as pa

        for label in NODE.keys() - self._nodes.keys():
            self.nodes(label)
        ends = [pa.field(name, pa.int64()) for name in ("from", "to")]
        properties = [f for f in schema.arrow_schema(collection) if f.name not in ("id", "from", "to")]
        wanted = pa.schema([*ends, *properties])
        columns = "".join(f", {_collected(f'r.`{f.name}`')}" for f in properties)
        text = _RELATIONSHIPS.format(type=collection, columns=columns)
        pages = [wanted.empty_table()]
        for source in dict.fromkeys(source for source, _ in RELATIONSHIP[collection].ends):
            numbers = self._nodes[source][0]
            for start in range(0, len(numbers), PAGE_NODES):
                page = self._read(text, numbers=numbers.slice(start, PAGE_NODES).to_pylist())
                pages.append(_table(wanted, page["columns"]))
        return self._named(collection, pa.concat_tables(pages))

    def _named(self, collection: str, rows: pa.Table) -> pa.Table:
        """With ids for numbers; rows that lead to no node of ours are left out."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers, ids = (
            pa.chunked_array([c for pair in self._nodes.values() for c in pair[i].chunks]) for i in (0, 1)
        )
        labels = pa.DictionaryArray.from_arrays(
            pa.array(
                [i for i, (own, _) in enumerate(self._nodes.values()) for _ in range(len(own))], pa.int8()
            ),
            list(self._nodes),
        )
        rows = rows.filter(pc.is_in(rows["to"], numbers))
        places = {name: pc.index_in(rows[name], numbers) for name in ("from", "to")}
        for name, place in places.items():
            rows = rows.set_column(rows.schema.get_field_index(name), name, ids.take(place))
            rows = rows.append_column(f"{name}_label", labels.take(place))
        kind = rows["kind"] if RELATIONSHIP[collection].has_kind else None
        return rows.add_column(0, "id", relationship_ids(rows["from"], rows["to"], kind))

    def _read(self, text: str, **parameters: Any) -> neo4j.Record:
        return self._session.execute_read(_one, text, missing=_MISSING, **parameters)


def _collected(expression: str) -> str:
    return f"collect(coalesce({expression}, $missing))"


def _one(tx: neo4j.ManagedTransaction, text: Any, **parameters: Any) -> neo4j.Record:
    return tx.run(text, parameters).single(strict=True)


def _table(wanted: pa.Schema, columns: list[list[Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.table([_column(v, f.type) for v, f in zip(columns, wanted, strict=True)], schema=wanted)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """The server has no column types: a value that somebody set to another type counts as missing."""
    import pyarrow as pa

    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        types = {pa.string(): str, pa.int64(): int, pa.bool_(): bool}
        return pa.array([v if isinstance(v, types.get(kind, list)) else None for v in values], kind)
