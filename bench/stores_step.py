"""One measured load into one real server, in a process of its own: prints one line of JSON.

python -m bench.stores_step ours|fresh|limit|baseline postgres|neo4j|elasticsearch DATA
The server's address is in SERVER_URL, its password in SERVER_PASSWORD.

ours: the synchronisation. limit: the store's own bulk loader, on the same rows made ready before the clock starts, in one
configuration that nobody reads, with no comparison and no verification. baseline: one call a row, every n-th row; `seconds` is
for all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ai_stack_assets.domain.common.lake import Lake, Version

NAME = "bench"
SAMPLED = 500
"""Rows of one baseline, about."""


def client(store: str) -> Any:
    url, password = os.environ["SERVER_URL"], os.environ.get("SERVER_PASSWORD", "")
    if store == "postgres":
        from ai_stack_assets.domain.stores.postgres.client import Postgres

        return Postgres(url)
    if store == "neo4j":
        from ai_stack_assets.domain.stores.graph.server import Neo4jGraph

        return Neo4jGraph(url, password=password)
    from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch

    return Elasticsearch(url)


def ours(store: str, version: Version) -> dict[str, Any]:
    from ai_stack_assets.domain.stores.sync import synchronise

    started = time.perf_counter()
    with client(store).open(NAME) as opened:
        report = synchronise(opened, version)
    changes = {what: report.total(what) for what in ("rows", "added", "changed", "removed", "bytes")}
    taken = time.perf_counter() - started
    return {
        "seconds": taken,
        "phases": report.seconds,
        **changes,
        "differences_left": len(report.differences),
    }


def fresh(store: str, version: Version) -> dict[str, Any]:
    """As a first synchronisation, alone on the machine: what the limit is compared with."""
    client(store).drop(NAME)
    return ours(store, version)


def limit(store: str, version: Version) -> dict[str, Any]:
    return importlib.import_module(f"bench.stores_{store}").limit(client(store), version)


def baseline(store: str, version: Version) -> dict[str, Any]:
    made = importlib.import_module(f"bench.stores_{store}")
    with ExitStack() as stack:
        calls = list(made.calls(client(store), version, SAMPLED, stack))
        started = time.perf_counter()
        for _, write in calls:
            write()
        taken = time.perf_counter() - started
    rows = calls[0][0]
    return {"seconds": taken / len(calls) * rows, "sampled": len(calls), "rows": rows}


if __name__ == "__main__":
    what, store, data = sys.argv[1:]
    version = Lake(Path(data) / "lake" / "onec").require(NAME)
    steps = {"ours": ours, "fresh": fresh, "limit": limit, "baseline": baseline}
    facts = steps[what](store, version)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = {"self": usage.ru_maxrss // 1024}
    print(json.dumps({"peak_mb": peak, "cpu": round(usage.ru_utime + usage.ru_stime, 1), **facts}))
