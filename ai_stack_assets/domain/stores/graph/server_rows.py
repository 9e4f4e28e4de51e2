"""Reading a configuration's whole graph back from Neo4j, as rows of the projection's shape.

Page by page along the unique constraint's index, each page one record: a record a row costs the driver 20 µs,
times what the values do.
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

_PAGE = (
    "MATCH (a:`{label}`) WHERE a.configuration = $configuration AND a.id > $after "
    "WITH a ORDER BY a.id LIMIT $limit {rest}"
)


def stored_nodes(session: neo4j.Session, configuration: str, label: str) -> pa.Table:
    wanted = schema.arrow_schema(label)
    columns = ", ".join(f"a.`{name}`" for name in wanted.names)
    rest = f"RETURN max(a.id) AS last, collect([{columns}]) AS rows"
    return _table(wanted, _pages(session, configuration, label, rest))


def stored_relationships(session: neo4j.Session, configuration: str, collection: str) -> pa.Table:
    """Those between nodes of the configuration; what somebody hangs on to other nodes is not ours."""
    import pyarrow as pa

    wanted = [field for field in schema.arrow_schema(collection) if field.name != "id"]
    wanted += [pa.field("from_label", pa.string()), pa.field("to_label", pa.string())]
    columns = "".join(f", r.`{p.name}`" for p in RELATIONSHIP[collection].properties)
    label = "".join(f"WHEN b:`{name}` THEN '{name}' " for name in NODE)
    found: list[list[Any]] = []
    for source in dict.fromkeys(source for source, _ in RELATIONSHIP[collection].ends):
        rest = (
            f"OPTIONAL MATCH (a)-[r:`{collection}`]->(b:{'|'.join(NODE)} {{configuration: $configuration}}) "
            f"RETURN max(a.id) AS last, collect(CASE WHEN b.id IS NOT NULL "
            f"THEN [a.id, b.id{columns}, '{source}', CASE {label}END] END) AS rows"
        )
        found += _pages(session, configuration, source, rest)
    rows = _table(pa.schema(wanted), found)
    kind = rows["kind"] if RELATIONSHIP[collection].has_kind else None
    return rows.add_column(0, pa.field("id", pa.string()), relationship_ids(rows["from"], rows["to"], kind))


def _pages(session: neo4j.Session, configuration: str, label: str, rest: str) -> list[list[Any]]:
    text = _PAGE.format(label=label, rest=rest)
    rows: list[list[Any]] = []
    after: str | None = ""
    while after is not None:
        page = session.execute_read(_one, text, configuration=configuration, after=after, limit=PAGE_NODES)
        rows += page["rows"]
        after = page["last"]
    return rows


def _one(tx: neo4j.ManagedTransaction, text: Any, **parameters: Any) -> neo4j.Record:
    return tx.run(text, parameters).single(strict=True)


def _table(wanted: pa.Schema, rows: list[list[Any]]) -> pa.Table:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else ([] for _ in wanted)
    return pa.table([_column(v, f.type) for v, f in zip(columns, wanted, strict=True)], schema=wanted)


def _column(values: Any, kind: pa.DataType) -> pa.Array:
    """The server has no column types: a value that somebody set to another type counts as missing."""
    import pyarrow as pa

    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        types = {pa.string(): str, pa.int64(): int, pa.bool_(): bool}
        return pa.array([v if isinstance(v, types.get(kind, list)) else None for v in values], kind)
