"""One measured step in a process of its own, so that start-up and peak memory count: prints one line of JSON.

python -m bench.step extract|vectoriser|postgres|graph|search|vectors SOURCE DATA
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

NAME = "bench"


def extract(source: str, data: Path) -> dict:
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.onec.checks import evaluate
    from ai_stack_assets.domain.onec.extraction import extract as run

    report = run(NAME, source, Lake(data / "lake" / "onec"), data / "cache")
    failed = [check.name for check in evaluate(report.version, report.previous) if not check.passed]
    rows = {table: change.rows for table, change in report.tables.items()}
    return {"phases": report.seconds, "rows": rows, "files": report.files, "failed_checks": failed}


def vectoriser(_: str, data: Path) -> dict:
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers

    _fitted, record = Vectorisers(data / "vectorisers").ensure(Lake(data / "lake" / "onec").require(NAME))
    return {"is_refitted": record.is_refitted}


def store(name: str, data: Path) -> dict:
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.stores.sync import synchronise

    version = Lake(data / "lake" / "onec").require(NAME)
    with _opened(name, data).open(NAME) as opened:
        report = synchronise(opened, version)
    changes = {what: report.total(what) for what in ("rows", "added", "changed", "removed", "bytes")}
    return {"phases": report.seconds, **changes, "differences_left": len(report.differences)}


def _opened(name: str, data: Path):
    """The embedded client, as the resource of that name opens it."""
    folder = data / "stores" / name
    if name == "postgres":
        from ai_stack_assets.domain.stores.postgres import embedded
        from ai_stack_assets.domain.stores.postgres.client import Postgres

        return Postgres(embedded.serve(folder))
    if name == "graph":
        from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph

        return EmbeddedGraph(folder)
    if name == "search":
        from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy

        return Tantivy(folder)
    from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
    from ai_stack_assets.domain.stores.vectors.store import VectorStores
    from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers

    return VectorStores(EdgeEngine(folder), Vectorisers(data / "vectorisers"))


def peak_mb() -> dict[str, int]:
    """Largest resident size of this process and of the largest of its children, MB."""
    usage = {"self": resource.RUSAGE_SELF, "largest_child": resource.RUSAGE_CHILDREN}
    return {who: resource.getrusage(which).ru_maxrss // 1024 for who, which in usage.items()}


if __name__ == "__main__":
    what, source, folder = sys.argv[1:]
    started = time.perf_counter()
    steps = {"extract": extract, "vectoriser": vectoriser}
    facts = steps[what](source, Path(folder)) if what in steps else store(what, Path(folder))
    seconds = round(time.perf_counter() - started, 2)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "cpus": os.cpu_count(), **facts}))
