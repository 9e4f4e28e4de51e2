"""One configuration in PostgreSQL: what it holds, and writing the difference. Connections and locks:
`client`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.tables import JSON, TABLES, Table
from ai_stack_assets.domain.stores import rows
from ai_stack_assets.domain.stores.contract import batched
from ai_stack_assets.domain.stores.postgres import schema

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg import Connection
    from psycopg.sql import Composable

    from ai_stack_assets.domain.common.lake import Version

DELETE_BATCH = 10_000
READ_BATCH_BYTES = 4 << 20


class PostgresStore:
    """Implements `stores.contract.Store`. Collections are the lake tables."""

    name = "postgres"
    writes_in_place = True

    def __init__(self, connection: Connection, configuration: str, *, rebuild: bool = False) -> None:
        self.connection, self.configuration = connection, configuration
        self._rebuild = rebuild
        """Until it is done: what is there counts as nothing, and goes with the transaction that writes it anew."""

    @property
    def collections(self) -> tuple[str, ...]:
        return tuple(TABLES)

    def expected(self, version: Version, collection: str) -> pa.Table:
        return version.table(collection, ["id", "content_hash"])

    def actual(self, collection: str) -> pa.Table:
        """COPY out and parsed by Arrow piece by piece: 300,000 rows in less than a second."""
        import pyarrow as pa
        from psycopg.sql import SQL

        parts = [_read_csv(b"")]
        if not self._rebuild and collection not in schema.missing(self.connection, self.configuration):
            query = SQL("COPY (SELECT id, content_hash FROM {}) TO STDOUT (FORMAT csv, FORCE_QUOTE (id))")
            data = bytearray()
            with self.connection.cursor().copy(query.format(self._partition(collection))) as copy:
                for block in copy:  # whole rows
                    data += block
                    if len(data) > READ_BATCH_BYTES:
                        parts.append(_read_csv(bytes(data)))
                        data.clear()
            parts.append(_read_csv(bytes(data)))
        return pa.concat_tables(parts)

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        with self.connection.transaction():
            self.connection.execute("SET LOCAL onec.synchronising = 'on'")
            if self._rebuild:
                schema.drop_partitions(self.connection, self.configuration)
            new = schema.missing(self.connection, self.configuration)
            schema.create_partitions(self.connection, self.configuration, new)
            yield
            if new:
                schema.attach_partitions(self.connection, self.configuration, new)
        self._rebuild = False

    def delete(self, collection: str, ids: pa.Array) -> None:
        from psycopg.sql import SQL

        query = SQL("DELETE FROM {} WHERE configuration = %s AND id = ANY(%s)").format(
            self._partition(collection)
        )
        for batch in batched(ids, DELETE_BATCH):
            self.connection.execute(query, [self.configuration, batch.to_pylist()])

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        from psycopg.sql import SQL, Identifier

        if ids is None:
            return self._copy(version, collection, None, self._partition(collection))
        staging = Identifier(f"staging_{collection}")
        columns = TABLES[collection].column_names
        names = SQL(", ").join(map(Identifier, columns))
        self.connection.execute(
            SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                staging, names, self._partition(collection)
            )
        )
        sent = self._copy(version, collection, ids, staging)
        changes = SQL(", ").join(
            SQL("{0} = EXCLUDED.{0}").format(Identifier(c)) for c in columns if c != "id"
        )
        self.connection.execute(
            SQL(
                "INSERT INTO {} (configuration, {}) SELECT {}, {} FROM {} "
                "ON CONFLICT (configuration, id) DO UPDATE SET {}"
            ).format(self._partition(collection), names, self.configuration, names, staging, changes)
        )
        return sent

    def _copy(self, version: Version, collection: str, ids: pa.Array | None, target: Composable) -> int:
        from psycopg.sql import SQL, Identifier

        names = SQL(", ").join(map(Identifier, TABLES[collection].column_names))
        query = SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(target, names)
        sent = 0
        with self.connection.cursor().copy(query) as copy:
            for batch in rows.batches(version, collection, ids):
                data = _write_csv(batch, TABLES[collection])
                copy.write(data)
                sent += len(data)
        return sent

    def _partition(self, collection: str) -> Composable:
        return schema.partition(collection, self.configuration)


def _read_csv(data: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    names = ["id", "content_hash"]
    if not data:
        return pa.schema([(name, pa.string()) for name in names]).empty_table()
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


_NUL_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def _write_csv(batch: pa.RecordBatch, table: Table) -> bytes:
    """Rows as COPY reads them: text quoted, null is nothing between the commas.

    PostgreSQL has no NUL character, as itself or escaped in JSON: it becomes the replacement character.
    """
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
    data = sink.getvalue().to_pybytes()
    if b"\\u0000" in data:
        for i in (i for i, column in enumerate(table.columns) if column.type == JSON):
            values = [_NUL_ESCAPE.sub(r"\1\\ufffd", value) for value in batch.column(i).to_pylist()]
            if values != batch.column(i).to_pylist():
                batch = batch.set_column(i, batch.schema.field(i), pa.array(values, pa.string()))
                return _write_csv(batch, table)
    return data.replace(b"\x00", "\ufffd".encode())
