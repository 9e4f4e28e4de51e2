"""PostgreSQL's own bulk loader, and one INSERT a row: what our synchronisation is measured against."""

from __future__ import annotations

import importlib
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bench.stores_sample import Call, every_nth, interval

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version


def limit(client: Any, version: Version) -> dict[str, Any]:
    """COPY into tables without keys, then the same primary keys and indexes. Foreign keys and triggers are ours alone."""
    from ai_stack_assets.domain.onec.tables import TABLES
    from ai_stack_assets.domain.stores import rows
    from ai_stack_assets.domain.stores.postgres.store import _write_csv

    with client.connected() as connection, tempfile.TemporaryFile() as file:
        _tables(connection)
        files = {}
        for name, table in TABLES.items():
            begin = file.tell()
            for batch in rows.batches(version, name, None):
                file.write(_write_csv(batch, table))
            files[name] = (begin, file.tell() - begin)
        started = time.perf_counter()
        with connection.transaction():
            for name, (begin, size) in files.items():
                file.seek(begin)
                columns = ", ".join(f'"{c}"' for c in TABLES[name].column_names)
                with connection.cursor().copy(
                    f'COPY bulk."{name}" ({columns}) FROM STDIN (FORMAT csv)'
                ) as copy:
                    while size > 0 and (block := file.read(min(size, 1 << 20))):
                        copy.write(block)
                        size -= len(block)
        copied = time.perf_counter() - started
        _indexes(connection)
        connection.execute("ANALYZE")
    return {"seconds": time.perf_counter() - started, "copy_alone": round(copied, 1)}


def calls(client: Any, version: Version, sampled: int, stack: ExitStack) -> Iterator[Call]:
    from ai_stack_assets.domain.onec.tables import TABLES

    connection = stack.enter_context(client.connect())
    _tables(connection)
    _indexes(connection)
    every, total = interval(version, TABLES, sampled)
    for name, table in TABLES.items():
        columns = ", ".join(f'"{c}"' for c in ("configuration", *table.column_names))
        text = f'INSERT INTO bulk."{name}" ({columns}) SELECT {columns} FROM jsonb_populate_record(null::bulk."{name}", %s)'
        for row in every_nth(version.table(name), every):
            known = {c.name for c in table.columns if c.type == "json"}
            values = {c: json.loads(v) if c in known and v else v for c, v in row.items()} | {
                "configuration": "bench"
            }
            document = json.dumps(values).replace("\\u0000", "")
            yield total, lambda text=text, document=document: connection.execute(text, [document])


def _tables(connection: Any) -> None:
    from ai_stack_assets.domain.onec.tables import TABLES

    connection.execute("DROP SCHEMA IF EXISTS bulk CASCADE")
    connection.execute("CREATE SCHEMA bulk")
    for name in TABLES:
        connection.execute(
            f'CREATE TABLE bulk."{name}" (LIKE onec."{name}" INCLUDING GENERATED INCLUDING STORAGE)'
        )
        connection.execute(f"ALTER TABLE bulk.\"{name}\" ALTER configuration SET DEFAULT 'bench'")


def _indexes(connection: Any) -> None:
    from ai_stack_assets.domain.onec.tables import TABLES

    made = importlib.import_module(
        "ai_stack_assets.domain.stores.postgres.migrations.versions.0001_lake_tables"
    ).INDEXES
    for name in TABLES:
        connection.execute(f'ALTER TABLE bulk."{name}" ADD PRIMARY KEY (configuration, id)')
        for index in made.get(name, ()):
            connection.execute(
                f'CREATE INDEX ON bulk."{name}" {index if index.startswith("USING") else f"({index})"}'
            )
