"""What the graph should hold: a lake version projected to the rows of `schema.COLLECTIONS`, with Arrow, whole columns at a time.

Ends of relationships are positions in one array of all node ids; an end that is no node is left out and counted in `dangling`.
A link that starts at a form item starts at its form instead and names the item. No engine here.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.hashing import row_hashes
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.schema import (
    COLLECTIONS,
    FIELD,
    METHOD,
    MODULE,
    NODES,
    OBJECT,
    TEXTS,
    Node,
)
from ai_stack_assets.domain.stores.graph.table_reads import table_reads

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

FORM_ITEM = "FormItem"
ROLE_RIGHT = "RoleRight"
_LABELS = [node.name for node in NODES]
_EXTENSION = ("annotation", "extends")


class Projection:
    """Rows of every collection of one version, computed on first use."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.dangling: Counter[str] = Counter()
        """Lake rows left out per relationship type: an end is not in this configuration."""
        self._rows: dict[str, pa.Table] = {}

    def rows(self, collection: str) -> pa.Table:
        """Columns of `schema.arrow_schema`; relationships get `from_label` and `to_label` besides (dictionaries)."""
        if collection not in self._rows:
            build = (
                self._nodes
                if isinstance(COLLECTIONS[collection], Node)
                else getattr(self, f"_{collection.lower()}")
            )
            self._rows[collection] = build(collection)
        return self._rows[collection]

    def _nodes(self, label: str) -> pa.Table:
        wanted = schema.arrow_schema(label)
        if label == OBJECT:
            table = self._objects
        elif label == FIELD:
            table = self._fields
        elif label == MODULE:
            table = self.version.table("modules", wanted.names)
        else:
            table = _with_extended_method(self._methods)
        return table.select(wanted.names).cast(wanted)

    @cached_property
    def _objects(self) -> pa.Table:
        return self.version.table("objects", [*schema.arrow_schema(OBJECT).names, "owner_id"])

    @cached_property
    def _fields_and_items(self) -> pa.Table:
        return self.version.table("fields", [*schema.arrow_schema(FIELD).names, "object_id", "parent_id"])

    @cached_property
    def _fields(self) -> pa.Table:
        import pyarrow.compute as pc

        return self._fields_and_items.filter(pc.not_equal(self._fields_and_items["kind"], FORM_ITEM))

    @cached_property
    def _items(self) -> pa.Table:
        import pyarrow.compute as pc

        fields = self._fields_and_items
        return fields.select(["id", "name"]).filter(pc.equal(fields["kind"], FORM_ITEM)).combine_chunks()

    @cached_property
    def _methods(self) -> pa.Table:
        names = [n for n in schema.arrow_schema(METHOD).names if n not in _EXTENSION]
        return self.version.table("methods", [*names, "module_id", "annotations"])

    @cached_property
    def _links(self) -> pa.Table:
        columns = (
            "kind",
            "source_id",
            "source_object_id",
            "target_id",
            "target_kind",
            "detail",
            "properties",
        )
        return self.version.table("references", columns)

    @cached_property
    def _node_ids(self) -> pa.ChunkedArray:
        import pyarrow as pa

        return pa.chunked_array([c for node in NODES for c in self.rows(node.name)["id"].chunks], pa.string())

    def _positions(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Where each id is among the nodes; null when it is none."""
        import pyarrow.compute as pc

        return pc.index_in(ids, self._node_ids)

    def _contains(self, collection: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        owned = self._objects.filter(pc.is_valid(self._objects["owner_id"]))
        fields, methods = self._fields, self._methods
        modules = self.version.table("modules", ["id", "object_id"])
        pairs = (
            (owned["owner_id"], owned["id"]),
            (pc.coalesce(fields["parent_id"], fields["object_id"]), fields["id"]),
            (modules["object_id"], modules["id"]),
            (methods["module_id"], methods["id"]),
        )
        ends = {
            name: self._positions(
                pa.chunked_array([chunk for pair in pairs for chunk in pair[i].chunks], pa.string())
            )
            for i, name in enumerate(("from", "to"))
        }
        return self._relationships(collection, pa.table(ends), [])

    def _references(self, collection: str) -> pa.Table:
        import pyarrow.compute as pc

        links = self._links
        kept = pc.and_(pc.not_equal(links["kind"], ROLE_RIGHT), pc.not_equal(links["target_kind"], "method"))
        return self._linked(collection, links.filter(kept))

    def _handles(self, collection: str) -> pa.Table:
        import pyarrow.compute as pc

        return self._linked(collection, self._links.filter(pc.equal(self._links["target_kind"], "method")))

    def _linked(self, collection: str, links: pa.Table) -> pa.Table:
        """Links by kind. `details` of a lifted one is the item's name, then `:` and the link's own detail if it has one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        source = self._positions(links["source_id"])
        items = self._items
        item = pc.take(items["name"], pc.index_in(links["source_id"], items["id"]))
        detail = pc.if_else(pc.equal(links["detail"], ""), None, links["detail"])
        lifted = pc.coalesce(pc.binary_join_element_wise(item, detail, ":"), item)
        table = pa.table(
            {
                "from": pc.coalesce(source, self._positions(links["source_object_id"])),
                "to": self._positions(links["target_id"]),
                "kind": links["kind"],
                "details": pc.if_else(pc.is_null(source), lifted, detail),
            }
        )
        return self._relationships(
            collection, table, [("from", "count", "links"), ("details", "distinct", "details")]
        )

    def _grants(self, collection: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        rights = self._links.filter(pc.equal(self._links["kind"], ROLE_RIGHT))
        facts = pc.dictionary_encode(rights["properties"].combine_chunks())
        parsed = [msgspec.json.decode(text) for text in facts.dictionary.to_pylist()]
        granted = pa.array([p.get("value", True) is not False for p in parsed], pa.bool_()).take(
            facts.indices
        )
        restricted = pa.array([bool(p.get("restriction")) for p in parsed], pa.bool_()).take(facts.indices)
        table = pa.table(
            {
                "from": self._positions(rights["source_id"]),
                "to": self._positions(rights["target_id"]),
                "rights": rights["detail"],
                "restricted": pc.if_else(restricted, rights["detail"], None),
            }
        ).filter(granted)
        return self._relationships(
            collection, table, [("rights", "distinct", "rights"), ("restricted", "distinct", "restricted")]
        )

    def _calls(self, collection: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        calls = self.version.table("calls", ["caller_id", "target_id", "line"])
        calls = calls.filter(pc.is_valid(calls["target_id"]))
        table = pa.table(
            {
                "from": self._positions(calls["caller_id"]),
                "to": self._positions(calls["target_id"]),
                "line": calls["line"],
            }
        )
        return self._relationships(collection, table, [("from", "count", "calls"), ("line", "min", "line")])

    def _reads(self, collection: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        queries = self.version.table("queries", ["place_id", "object_id", "tables", "fields"])
        reads = table_reads(queries, self._fields)
        place = pc.coalesce(self._positions(queries["place_id"]), self._positions(queries["object_id"]))
        table = pa.table(
            {
                "from": pc.take(place, reads["query"]),
                "to": self._positions(reads["target_id"]),
                "query": reads["query"],
                "names": reads["name"],
            }
        )
        return self._relationships(
            collection, table, [("query", "count_distinct", "queries"), ("names", "distinct", "names")]
        )

    def _relationships(
        self, collection: str, links: pa.Table, aggregates: list[tuple[str, str, str]]
    ) -> pa.Table:
        """One row for each pair of ends (and kind). Ends in `links` are positions; `aggregates` are (column, function, result)."""
        import pyarrow as pa
        import pyarrow.compute as pc

        whole = links.filter(pc.and_(pc.is_valid(links["from"]), pc.is_valid(links["to"])))
        self.dangling[collection] = links.num_rows - whole.num_rows
        lists = [column for column, function, _ in aggregates if function == "distinct"]
        if lists:
            whole = whole.sort_by([(column, "ascending") for column in lists])
        keys = ["from", "to", *(["kind"] if COLLECTIONS[collection].has_kind else [])]
        valid = pc.CountOptions(mode="only_valid")
        calls = [(c, f, valid if f in ("distinct", "count_distinct") else None) for c, f, _ in aggregates]
        grouped = whole.group_by(keys, use_threads=False).aggregate(calls)
        columns = {name: grouped[f"{column}_{function}"] for column, function, name in aggregates}
        ends = {name: pc.take(self._node_ids, grouped[name]) for name in ("from", "to")}
        kind = {"kind": grouped["kind"]} if "kind" in keys else {}
        ids = relationship_ids(ends["from"], ends["to"], kind.get("kind"))
        table = pa.table({"id": ids, **ends, **kind, **columns})
        table = table.select(schema.arrow_schema(collection).names).cast(schema.arrow_schema(collection))
        labels = {name: self._labels(grouped[name]) for name in ("from", "to")}
        for name, codes in labels.items():
            table = table.append_column(f"{name}_label", pa.DictionaryArray.from_arrays(codes, _LABELS))
        declared = _are_joined(collection)[labels["from"], labels["to"]]
        self.dangling[collection] += int((~declared).sum())
        return table if declared.all() else table.filter(pa.array(declared))

    def _labels(self, positions: pa.ChunkedArray) -> Any:
        """Numpy int8: which of `NODES` each position is of."""
        import numpy as np

        limits = np.cumsum([self.rows(label).num_rows for label in _LABELS])
        return np.searchsorted(limits, positions.to_numpy(), side="right").astype("int8")


def _are_joined(collection: str) -> Any:
    """Numpy bool, label × label: whether the schema joins them by this type."""
    import numpy as np

    return np.array(
        [[(source, target) in COLLECTIONS[collection].ends for target in _LABELS] for source in _LABELS]
    )


def relationship_ids(source: Any, target: Any, kind: Any | None) -> Any:
    """`<from>><kind>><to>`, or `<from>><to>` when the type has no kinds."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(source, *([] if kind is None else [kind]), target, ">")


def id_and_hash(collection: str, rows: pa.Table) -> pa.Table:
    """`id, content_hash` over exactly the columns that an engine stores, so that the engine's own rows hash the same."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["id", *(p.name for p in COLLECTIONS[collection].properties)]
    lists = {p.name for p in COLLECTIONS[collection].properties if p.type == TEXTS}
    plain = [pc.binary_join(rows[c], "\x1e") if c in lists else rows[c] for c in columns]
    return pa.table({"id": rows["id"], "content_hash": row_hashes(pa.table(plain, names=columns))})


def _with_extended_method(methods: pa.Table) -> pa.Table:
    """`annotation` and `extends` from the first annotation: adopted modules have the ids of the modules they extend."""
    import pyarrow.compute as pc

    first = pc.extract_regex(
        methods["annotations"], r'^\[\{"kind":"(?P<kind>[^"]*)","target":"(?P<target>[^"]*)"'
    )
    target = pc.struct_field(first, "target")
    extended = pc.binary_join_element_wise(methods["module_id"], target, ".")
    return methods.append_column("annotation", pc.struct_field(first, "kind")).append_column(
        "extends", extended
    )


def _strings(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
