"""Neo4j's own bulk loader, and one MERGE a row: what our synchronisation is measured against."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stores_sample import Call, every_nth

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

_LIST = "\x1e"


def limit(_: Any, version: Version) -> dict[str, Any]:
    """`neo4j-admin database import full`: offline, into a new database, without constraints and indexes. Java's start counts."""
    from ai_stack_assets_tests.servers.neo4j import java_command

    home = Path(tempfile.mkdtemp(prefix="neo4j-import-"))
    try:
        (home / "conf").mkdir()
        files = list(_files(version, home))
        command = java_command(1280, "org.neo4j.cli.AdminTool", "database", "import", "full", "neo4j")
        started = time.perf_counter()
        subprocess.run(
            [*command, "--multiline-fields=true", f"--array-delimiter={_LIST}", *files],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=home,  # where it leaves its report
            env={**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
        )
        return {"seconds": time.perf_counter() - started}
    finally:
        shutil.rmtree(home)


def calls(client: Any, version: Version, sampled: int, stack: ExitStack) -> Iterator[Call]:
    """Into the graph that is there, which it leaves as it is."""
    from ai_stack_assets.domain.stores.graph.projection import Projection
    from ai_stack_assets.domain.stores.graph.rows import by_ends
    from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS, NODE

    projection = Projection(version)
    total = sum(projection.rows(name).num_rows for name in COLLECTIONS)
    session = stack.enter_context(client._session())

    def merge(text: str, row: dict[str, Any]) -> None:
        session.run(text, row=row, configuration=version.configuration).consume()

    for name in COLLECTIONS:
        rows = projection.rows(name)
        if name in NODE:
            text = f"MERGE (n:`{name}` {{configuration: $configuration, id: $row.id}}) SET n += $row"
            parts = [(text, rows)]
        else:
            parts = [(_link(name, *labels), part) for *labels, part in by_ends(rows)]
        for text, part in parts:
            for row in every_nth(part, max(1, total // sampled)):
                yield total, lambda text=text, row=row: merge(text, row)


def _link(name: str, source: str, target: str) -> str:
    from ai_stack_assets.domain.stores.graph.schema import RELATIONSHIP

    relationship = RELATIONSHIP[name]
    kind = " {kind: $row.kind}" if relationship.has_kind else ""
    values = ", ".join(f"r.`{p.name}` = $row.`{p.name}`" for p in relationship.properties)
    return (
        f"MATCH (a:`{source}` {{configuration: $configuration, id: $row.from}}) "
        f"MATCH (b:`{target}` {{configuration: $configuration, id: $row.to}}) "
        f"MERGE (a)-[r:`{name}`{kind}]->(b) {f'SET {values}' if values else ''}"
    )


def _files(version: Version, folder: Path) -> Iterator[str]:
    """Files as the importer reads them, and its arguments that name them."""
    import pyarrow as pa

    from ai_stack_assets.domain.stores.graph.projection import Projection
    from ai_stack_assets.domain.stores.graph.rows import by_ends
    from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS, NODE

    projection = Projection(version)
    for name in COLLECTIONS:
        rows = projection.rows(name)
        if name in NODE:
            owner = pa.array([version.configuration] * rows.num_rows)
            written = _write(
                folder / f"{name}.csv", rows.append_column("configuration", owner), f"id:ID({name})"
            )
            yield f"--nodes={name}={written}"
            continue
        for source, target, part in by_ends(rows):
            ends = (f":START_ID({source})", f":END_ID({target})")
            part = part.drop_columns(["id", "from_label", "to_label"])
            yield f"--relationships={name}={_write(folder / f'{name}-{source}-{target}.csv', part, *ends)}"


def _write(path: Path, rows: pa.Table, *keys: str) -> Path:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    types = {pa.string(): "string", pa.int64(): "long", pa.bool_(): "boolean"}
    names, columns = [*keys], [*rows.columns[: len(keys)]]
    for field, column in list(zip(rows.schema, rows.columns, strict=True))[len(keys) :]:
        is_list = pa.types.is_list(field.type)
        names.append(f"{field.name}:{'string[]' if is_list else types[field.type]}")
        columns.append(pc.binary_join(column, _LIST) if is_list else column)
    csv.write_csv(pa.table(columns, names=names), path)
    return path
