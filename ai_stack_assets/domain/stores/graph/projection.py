"""What the graph should hold: a lake version projected to the rows of `schema.COLLECTIONS`, with Arrow, by
whole columns. No engine here.

Ends of relationships are positions in one array of all node ids; an end that is no node is left out and
counted in `dangling`. A link that starts at a form item starts at its form instead and names the item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.rows import (
    as_nodes,
    id_and_hash,
    look_up,
    properties,
    relationship_ids,
    strings,
)
from ai_stack_assets.domain.stores.graph.schema import (
    FIELD,
    METHOD,
    MODULE,
    NODE,
    OBJECT,
    RELATIONSHIP,
)
from ai_stack_assets.domain.stores.graph.table_reads import table_reads

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

FORM_ITEM = "FormItem"
ROLE_RIGHT = "RoleRight"
MAIN_TABLE = "MainTable"
NOT_REFERENCES = (ROLE_RIGHT, "RoleRightDenied", "ChildObject")
"""Kinds of the lake's references that other relationships stand for, and the rights that a role does not
grant."""
_REFERENCE_ENDS = ("source_id", "source_object_id", "target_id")
_LABELS = list(NODE)


class Projection:
    """Rows of every collection of one version, computed on first use."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.dangling: Counter[str] = Counter()
        """Lake rows left out per relationship type: an end is not in this configuration."""
        self._rows: dict[str, pa.Table] = {}
        self._hashes: dict[str, pa.ChunkedArray] = {}

    def hashes(self, collection: str) -> pa.Table:
        """`id, content_hash` of every row. Ids of relationships are made each time: they take more than all else here."""
        import pyarrow as pa

        rows = self._lean(collection)
        ids = rows["id"] if collection in NODE else self._relationship_ids(rows)
        found = self._hashes.get(collection)
        if found is None:
            whole = rows if collection in NODE else rows.append_column("id", ids)
            found = self._hashes[collection] = id_and_hash(collection, whole)["content_hash"]
        return pa.table({"id": ids, "content_hash": found})

    def rows(self, collection: str, ids: pa.Array | None = None) -> pa.Table:
        """Rows with these ids, or all: columns of `arrow_schema`, `from_label` and `to_label` besides."""
        return self._whole(collection, self._chosen(collection, ids))

    def batches(self, collection: str, ids: pa.Array | None, size: int) -> Iterator[pa.Table]:
        """The same piece by piece: a relationship's names take twenty times what its ends take here."""
        rows = self._chosen(collection, ids)
        for start in range(0, rows.num_rows, size):
            yield self._whole(collection, rows.slice(start, size))

    def _chosen(self, collection: str, ids: pa.Array | None) -> pa.Table:
        import pyarrow.compute as pc

        rows = self._lean(collection)
        return rows if ids is None else rows.filter(pc.is_in(self.hashes(collection)["id"], ids))

    def _whole(self, collection: str, rows: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        if collection in NODE:
            return rows
        ends = {name: pc.take(self._node_ids, rows[name]) for name in ("from", "to")}
        labels = {
            f"{name}_label": pa.DictionaryArray.from_arrays(self._labels(rows[name]), _LABELS)
            for name in ends
        }
        ids = self._relationship_ids(rows)
        return pa.table({"id": ids, **ends, **dict(properties(collection, rows)), **labels})

    def _lean(self, collection: str) -> pa.Table:
        """Nodes as in `arrow_schema`; relationships have positions for ends, and no id: half the memory."""
        if collection not in self._rows:
            self._rows[collection] = getattr(self, f"_{collection.lower()}")()
        return self._rows[collection]

    def _object(self) -> pa.Table:
        return as_nodes(OBJECT, self._objects)

    def _field(self) -> pa.Table:
        return as_nodes(FIELD, self._fields_and_items[0])

    def _module(self) -> pa.Table:
        return as_nodes(MODULE, self._modules)

    def _method(self) -> pa.Table:
        return as_nodes(METHOD, self._methods)

    @cached_property
    def _objects(self) -> pa.Table:
        return self.version.table("objects", [*schema.arrow_schema(OBJECT).names, "owner_id"])

    @cached_property
    def _fields_and_items(self) -> tuple[pa.Table, pa.Table]:
        """Fields that are nodes; form items, `id` and `name` only: they are the most."""
        import pyarrow.compute as pc

        fields = self.version.table("fields", [*schema.arrow_schema(FIELD).names, "object_id", "parent_id"])
        is_item = pc.equal(fields["kind"], FORM_ITEM)
        return fields.filter(pc.invert(is_item)), fields.select(["id", "name"]).filter(
            is_item
        ).combine_chunks()

    @cached_property
    def _modules(self) -> pa.Table:
        return self.version.table("modules", [*schema.arrow_schema(MODULE).names, "object_id"])

    @cached_property
    def _methods(self) -> pa.Table:
        import pyarrow.compute as pc

        names = [name for name in schema.arrow_schema(METHOD).names if name not in ("annotation", "extends")]
        methods = self.version.table("methods", [*names, "module_id", "annotations"])
        pattern = r'^\[\{"kind":"(?P<kind>[^"]*)","target":"(?P<target>[^"]*)"'
        first = pc.extract_regex(methods["annotations"], pattern)
        # adopted modules have the ids of the modules that they extend
        extended = pc.binary_join_element_wise(methods["module_id"], pc.struct_field(first, "target"), ".")
        return methods.append_column("annotation", pc.struct_field(first, "kind")).append_column(
            "extends", extended
        )

    @cached_property
    def _node_ids(self) -> pa.ChunkedArray:
        import pyarrow as pa

        return pa.chunked_array([c for label in _LABELS for c in self._lean(label)["id"].chunks], pa.string())

    def _positions(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Where each id is among the nodes; null when it is none."""
        return look_up(ids, self._node_ids)

    def _labels(self, positions: pa.ChunkedArray) -> Any:
        """Numpy int8: which of the labels the node at each position has."""
        import numpy as np

        limits = np.cumsum([self._lean(label).num_rows for label in _LABELS])
        return np.searchsorted(limits, positions.to_numpy(), side="right").astype("int8")

    def _contains(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        owned = self._objects.filter(pc.is_valid(self._objects["owner_id"]))
        fields, modules, methods = self._fields_and_items[0], self._modules, self._methods
        owners = (
            owned["owner_id"],
            pc.coalesce(fields["parent_id"], fields["object_id"]),
            modules["object_id"],
            methods["module_id"],
        )
        parts = (owned["id"], fields["id"], modules["id"], methods["id"])
        ends = {
            name: self._positions(
                pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
            )
            for name, columns in (("from", owners), ("to", parts))
        }
        return self._grouped("CONTAINS", pa.table(ends), [])

    @cached_property
    def _links(self) -> pa.Table:
        """The lake's references with positions instead of names: `via` is the form item at the start."""
        import pyarrow as pa
        import pyarrow.compute as pc

        ends, rest = _REFERENCE_ENDS, ("kind", "target_kind", "detail", "properties")
        links = self.version.table("references", [*ends, *rest], as_dictionary=ends)
        source = self._positions(links["source_id"])
        items = self._fields_and_items[1]
        via = pc.take(items["name"], look_up(links["source_id"], items["id"]))
        return pa.table(
            {
                "from": pc.coalesce(source, self._positions(links["source_object_id"])),
                "to": self._positions(links["target_id"]),
                "via": via,
                "detail": pc.if_else(pc.equal(links["detail"], ""), None, links["detail"]),
                **{name: links[name] for name in ("kind", "target_kind", "properties")},
            }
        )

    def _references(self) -> pa.Table:
        import pyarrow.compute as pc

        others = pc.invert(pc.is_in(self._links["kind"], strings(NOT_REFERENCES)))
        to_data = pc.not_equal(self._links["target_kind"], "method")
        return self._linked("REFERENCES", self._links.filter(pc.and_(others, to_data)))

    def _handles(self) -> pa.Table:
        import pyarrow.compute as pc

        return self._linked("HANDLES", self._links.filter(pc.equal(self._links["target_kind"], "method")))

    def _linked(self, collection: str, links: pa.Table) -> pa.Table:
        import pyarrow.compute as pc

        both = pc.binary_join_element_wise(links["via"], links["detail"], ":")
        links = links.append_column("details", pc.coalesce(both, links["via"], links["detail"]))
        return self._grouped(
            collection, links, [("from", "count", "links"), ("details", "distinct", "details")]
        )

    def _grants(self) -> pa.Table:
        import pyarrow.compute as pc

        rights = self._links.filter(pc.equal(self._links["kind"], ROLE_RIGHT))
        is_restricted = pc.match_substring(rights["properties"], '"restrictions":')
        rights = rights.append_column("restricted", pc.if_else(is_restricted, rights["detail"], None))
        lists = [("detail", "distinct", "rights"), ("restricted", "distinct", "restricted")]
        return self._grouped("GRANTS", rights, lists)

    def _calls(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        ends = ("caller_id", "target_id")
        calls = self.version.table("calls", [*ends, "line"], as_dictionary=ends)
        calls = calls.filter(pc.is_valid(calls["target_id"]))
        positions = {"from": self._positions(calls["caller_id"]), "to": self._positions(calls["target_id"])}
        table = pa.table({**positions, "line": calls["line"]})
        return self._grouped("CALLS", table, [("from", "count", "calls"), ("line", "min", "line")])

    def _reads(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        queries = self.version.table("queries", ["place_id", "object_id", "tables", "fields"])
        reads = table_reads(queries, self._fields_and_items[0])
        place = pc.coalesce(self._positions(queries["place_id"]), self._positions(queries["object_id"]))
        ends = {"from": pc.take(place, reads["query"]), "to": self._positions(reads["target_id"])}
        table = pa.table({**ends, "query": reads["query"], "name": reads["name"]})
        lists = self._links.filter(pc.equal(self._links["kind"], MAIN_TABLE)).select(["from", "to"])
        table = pa.concat_tables([table, lists], promote_options="default")
        return self._grouped(
            "READS", table, [("query", "count_distinct", "queries"), ("name", "distinct", "names")]
        )

    def _grouped(self, collection: str, links: pa.Table, aggregates: list[tuple[str, str, str]]) -> pa.Table:
        """One row for each pair of ends (and kind), of those that the schema joins.

        Args:
            links: `from` and `to` are positions or null.
            aggregates: column of `links`, Arrow's function, name of the result.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        keys = ["from", "to", *(["kind"] if RELATIONSHIP[collection].has_kind else [])]
        whole = links.select(list(dict.fromkeys([*keys, *(column for column, _, _ in aggregates)])))
        whole = whole.filter(pc.and_(pc.is_valid(links["from"]), pc.is_valid(links["to"])))
        joined = self._are_joined(collection, whole)
        whole = whole if joined.all() else whole.filter(pa.array(joined))
        self.dangling[collection] = links.num_rows - whole.num_rows
        lists = [column for column, function, _ in aggregates if function == "distinct"]
        if lists:  # so that equal sets give equal lists
            whole = whole.sort_by([(column, "ascending") for column in lists])
        valid = pc.CountOptions(mode="only_valid")
        calls = [(c, f, valid if f in ("distinct", "count_distinct") else None) for c, f, _ in aggregates]
        result = whole.group_by(keys, use_threads=False).aggregate(calls)
        names = {f"{column}_{function}": name for column, function, name in aggregates}
        return result.rename_columns([names.get(name, name) for name in result.column_names])

    def _are_joined(self, collection: str, links: pa.Table) -> Any:
        """Numpy bool of each link: whether the schema joins the labels of its ends."""
        import numpy as np

        ends = RELATIONSHIP[collection].ends
        allowed = np.array([[(source, target) in ends for target in _LABELS] for source in _LABELS])
        return allowed[self._labels(links["from"]), self._labels(links["to"])]

    def _relationship_ids(self, rows: pa.Table) -> pa.ChunkedArray:
        import pyarrow.compute as pc

        source, target = (pc.take(self._node_ids, rows[name]) for name in ("from", "to"))
        return relationship_ids(source, target, rows["kind"] if "kind" in rows.column_names else None)
