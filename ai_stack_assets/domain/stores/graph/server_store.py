"""One configuration's graph in Neo4j.

What is to be written is collected and sent at the end of the transaction, so that the driver can repeat it
after a deadlock. A normal difference is one transaction: readers see all or nothing. A larger one (a first
load) would not fit into a server's memory: it goes in parts, and the configuration's state node, written with
the first part and with the last, tells readers that the graph is incomplete in between."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.stores.graph.rows import by_ends, id_and_hash_once
from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS, NODE, RELATIONSHIP, STATE
from ai_stack_assets.domain.stores.graph.server import COMPLETE, INCOMPLETE
from ai_stack_assets.domain.stores.graph.server_rows import ServerRows
from ai_stack_assets.domain.stores.graph.store_base import GraphStore

if TYPE_CHECKING:
    import neo4j
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

BATCH_ROWS = 5_000
"""Rows of one UNWIND."""
TRANSACTION_ROWS = 50_000
"""Rows of one transaction: about 200 MB of the server's heap."""

_KEY = "configuration: $configuration"
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class _Write:
    statement: str
    rows: pa.Table


class ServerStore(GraphStore):
    """See `domain.stores.contract.Store`."""

    writes_in_place = True

    def __init__(
        self, configuration: str, session: neo4j.Session, require_lock: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(configuration)
        self._session, self._require_lock = session, require_lock
        self._stored = ServerRows(session, configuration)
        self._stored_ends: dict[str, pa.Table] = {}
        self._writes: list[_Write] = []

    def actual(self, collection: str) -> pa.Table:
        """Hashed anew from every property that the server holds, so that a hand-made edit of any shows."""
        read = self._stored.nodes if collection in NODE else self._stored.relationships
        rows = read(collection)
        if collection in RELATIONSHIP:
            ends = ["id", "from", "to", "from_label", "to_label"]
            self._stored_ends[collection] = rows.select([*ends, *_kind(collection)])
        return id_and_hash_once(collection, rows)

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        self._writes = []
        try:
            yield
            parts = list(_in_parts(self._writes, TRANSACTION_ROWS))
            for number, part in enumerate(parts, 1):
                self._require_lock()
                state = COMPLETE if number == len(parts) else INCOMPLETE
                self._session.execute_write(self._send, part, state)
        finally:
            self._writes = []

    def delete(self, collection: str, ids: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if collection in NODE:
            statement = f"UNWIND $rows AS row MATCH (n:`{collection}` {{{_KEY}, id: row.id}}) DETACH DELETE n"
            self._writes.append(_Write(statement, pa.table({"id": ids})))
        else:
            stored = self._stored_ends[collection]
            self._unlink(collection, stored.filter(pc.is_in(stored["id"], ids)))

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        rows = self.projected(version).rows(collection, ids)
        if collection in NODE:
            self._write_nodes(collection, rows)
        else:
            if ids is not None:
                self._unlink(collection, rows)
            self._write_relationships(collection, rows)
        return rows.nbytes

    def _write_nodes(self, label: str, rows: pa.Table) -> None:
        import pyarrow.compute as pc

        merge = f"UNWIND $rows AS row MERGE (n:`{label}` {{{_KEY}, id: row.id}}) SET n += row"
        if not NODE[label].is_labelled_by_kind:
            self._writes.append(_Write(merge, rows))
            return
        for kind in pc.unique(rows["kind"]).to_pylist():
            # a kind becomes part of the text, so only a plain word does
            also = f", n:`{kind}`" if _LABEL.fullmatch(kind) and kind not in COLLECTIONS else ""
            self._writes.append(_Write(merge + also, rows.filter(pc.equal(rows["kind"], kind))))

    def _write_relationships(self, collection: str, rows: pa.Table) -> None:
        properties = [p.name for p in RELATIONSHIP[collection].properties]
        assignments = ", ".join(f"r.`{name}` = row.`{name}`" for name in properties)
        kind = " {kind: row.kind}" if _kind(collection) else ""
        for source, target, part in by_ends(rows):
            statement = (
                f"UNWIND $rows AS row MATCH (a:`{source}` {{{_KEY}, id: row.from}}) "
                f"MATCH (b:`{target}` {{{_KEY}, id: row.to}}) MERGE (a)-[r:`{collection}`{kind}]->(b)"
            )
            statement += f" SET {assignments}" if properties else ""
            self._writes.append(_Write(statement, part.select(["from", "to", *properties])))

    def _unlink(self, collection: str, rows: pa.Table) -> None:
        """Delete the relationships between these ends (of these kinds), also when there are several of one
        id."""
        same_kind = "WHERE r.kind = row.kind " if _kind(collection) else ""
        for source, target, part in by_ends(rows):
            statement = (
                f"UNWIND $rows AS row MATCH (a:`{source}` {{{_KEY}, id: row.from}})-[r:`{collection}`]->"
                f"(b:`{target}` {{{_KEY}, id: row.to}}) {same_kind}DELETE r"
            )
            self._writes.append(_Write(statement, part.select(["from", "to", *_kind(collection)])))

    def _send(self, tx: neo4j.ManagedTransaction, writes: list[_Write], state: str) -> None:
        mark: Any = f"MERGE (s:`{STATE}` {{{_KEY}}}) SET s.state = $state"
        tx.run(mark, configuration=self.configuration, state=state).consume()
        for write in writes:
            for start in range(0, write.rows.num_rows, BATCH_ROWS):
                rows = write.rows.slice(start, BATCH_ROWS).to_pylist()
                statement: Any = write.statement
                tx.run(statement, configuration=self.configuration, rows=rows).consume()


def _kind(collection: str) -> list[str]:
    return ["kind"] if RELATIONSHIP[collection].has_kind else []


def _in_parts(writes: list[_Write], limit: int) -> Iterator[list[_Write]]:
    """In order, cut so that no part has more rows than the limit."""
    part: list[_Write] = []
    room = limit
    for write in writes:
        start = 0
        while start < write.rows.num_rows:
            taken = write.rows.slice(start, room)
            part.append(_Write(write.statement, taken))
            start, room = start + taken.num_rows, room - taken.num_rows
            if not room:
                yield part
                part, room = [], limit
    if part:
        yield part
