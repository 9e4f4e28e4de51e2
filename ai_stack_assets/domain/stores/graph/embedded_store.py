"""One configuration's graph in ladybug, held by its only writer.

Every write goes to a copy of the file, which takes the file's place by one rename (copying 60 MB takes 0.02
s): readers never wait and see all or nothing, and a kill at any moment leaves the previous state. So the
statements commit one by one: a single transaction of everything needs twice the memory and 0.5 s more. COPY,
for an empty collection and for relationships, is the fast way (350,000 relationships: 1.5 s); LOAD FROM …
MERGE is for nodes that may be there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.stores.graph import embedded_seal, schema
from ai_stack_assets.domain.stores.graph.rows import by_ends, id_and_hash_once, relationship_ids
from ai_stack_assets.domain.stores.graph.schema import NODE, RELATIONSHIP
from ai_stack_assets.domain.stores.graph.store_base import GraphStore

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.stores.graph.embedded import Connection

_ROWS_AT_ONCE = 200_000
"""Made of the lake's rows, or of the engine's, at the same time."""
_COPY_ROWS = 50_000
"""Rows of one statement: what it writes must fit into the buffer pool."""


class EmbeddedStore(GraphStore):
    """See `domain.stores.contract.Store`."""

    writes_in_place = False

    def __init__(
        self, configuration: str, file: Path, connect: Callable[..., Connection], *, rebuild: bool = False
    ) -> None:
        super().__init__(configuration)
        self._file, self._connect = file, connect
        self._is_new = rebuild or not file.exists()
        self._connection: Connection | None = None
        connection = self._read_committed()
        if connection and not embedded_seal.is_sealed(file):
            embedded_seal.require_sound(file, connection)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def actual(self, collection: str) -> pa.Table:
        """Hashed anew from every property that the engine holds, so that a hand-made edit of any shows."""
        return id_and_hash_once(collection, self._stored(collection))

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        draft = self._new_draft()
        self.close()
        try:
            self._connection = self._connect(draft, read_only=False)
            if self._is_new:
                for statement in schema.ladybug_ddl():
                    self._execute(statement)
            yield
            self._execute("CHECKPOINT")
            self.close()
            self._publish(draft)
            self._is_new = False
        finally:
            self.close()
            _remove_drafts(draft)
            self._read_committed()

    def delete(self, collection: str, ids: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if collection in NODE:
            statement = f"LOAD FROM $rows MATCH (n:`{collection}` {{id: `id`}}) DETACH DELETE n"
            self._execute(statement, rows=pa.table({"id": ids}))
        else:
            stored = self._stored(collection)
            self._unlink(collection, stored.filter(pc.is_in(stored["id"], ids)))

    def _unlink(self, collection: str, rows: pa.Table) -> None:
        """Delete the relationships between these ends (of these kinds), also when there are several of one
        id."""
        kind = ["kind"] if RELATIONSHIP[collection].has_kind else []
        same_kind = "WHERE r.kind = `kind` " if kind else ""
        for source, target, part in by_ends(rows):
            self._execute(
                f"LOAD FROM $rows MATCH (a:`{source}` {{id: `from`}})-[r:`{collection}`]->"
                f"(b:`{target}` {{id: `to`}}) {same_kind}DELETE r",
                rows=part.select(["from", "to", *kind]),
            )

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        write = self._write_nodes if collection in NODE else self._write_relationships
        sent = 0
        for rows in self.projected(version).batches(collection, ids, _ROWS_AT_ONCE):
            write(collection, rows, is_empty=ids is None)
            sent += rows.nbytes
        return sent

    def _write_nodes(self, label: str, rows: pa.Table, *, is_empty: bool) -> None:
        import pyarrow as pa

        rows = rows.add_column(1, "configuration", pa.repeat(self.configuration, rows.num_rows))
        if is_empty:
            self._copy(f"COPY `{label}` FROM $rows", rows)
            return
        assignments = ", ".join(f"n.`{name}` = `{name}`" for name in rows.column_names if name != "id")
        self._execute(f"LOAD FROM $rows MERGE (n:`{label}` {{id: `id`}}) SET {assignments}", rows=rows)

    def _write_relationships(self, collection: str, rows: pa.Table, *, is_empty: bool) -> None:
        if not is_empty:
            self._unlink(collection, rows)
        columns = ["from", "to", *(p.name for p in RELATIONSHIP[collection].properties)]
        for source, target, part in by_ends(rows):
            statement = f"COPY `{collection}` FROM $rows (from='{source}', to='{target}')"
            self._copy(statement, part.select(columns))

    def _execute(self, statement: str, **parameters: Any) -> None:
        assert self._connection, "writing needs a transaction"
        self._connection.execute(statement, **parameters)

    def _copy(self, statement: str, rows: pa.Table) -> None:
        for start in range(0, rows.num_rows, _COPY_ROWS):
            self._execute(statement, rows=rows.slice(start, _COPY_ROWS))

    def _stored(self, collection: str) -> pa.Table:
        """As the projection's rows, from the engine."""
        import pyarrow as pa

        wanted = schema.arrow_schema(collection)
        if self._connection is None:
            return wanted.empty_table()
        if collection in NODE:
            columns = ", ".join(f"n.`{name}` AS `{name}`" for name in wanted.names)
            return self._connection.table(f"MATCH (n:`{collection}`) RETURN {columns}")
        columns = "".join(f", r.`{p.name}` AS `{p.name}`" for p in RELATIONSHIP[collection].properties)
        rows = self._connection.table(
            f"MATCH (a)-[r:`{collection}`]->(b) RETURN a.id AS `from`, b.id AS `to`{columns}, "
            "label(a) AS from_label, label(b) AS to_label"
        )
        kind = rows["kind"] if RELATIONSHIP[collection].has_kind else None
        return rows.add_column(
            0, pa.field("id", pa.string()), relationship_ids(rows["from"], rows["to"], kind)
        )

    def _read_committed(self) -> Connection | None:
        """None while nothing was written that counts."""
        self._connection = None if self._is_new else self._connect(self._file, read_only=True)
        return self._connection

    def _new_draft(self) -> Path:
        draft = self._file.with_name(f"{self._file.name}.draft")
        _remove_drafts(draft)
        if not self._is_new:
            shutil.copyfile(self._file, draft)
        return draft

    def _publish(self, draft: Path) -> None:
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        with embedded_seal.sealing(self._file, draft):
            draft.replace(self._file)
        for other in self._file.parent.glob(f"*{self._file.suffix}*"):
            if other not in (
                self._file,
                embedded_seal.beside(self._file),
            ):  # of another schema, or a log that somebody else's session left
                other.unlink()


def _remove_drafts(draft: Path) -> None:
    """The draft and the engine's logs beside it, also those of a killed writer."""
    for path in draft.parent.glob(f"{draft.name}*"):
        path.unlink()
