"""Real PostgreSQL, Neo4j and Elasticsearch on loopback: ours beside each store's own bulk loader and one call a row.

python -m bench.stores [path/to/dump]       part of `make bench`; the servers are those of the tests
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import __main__ as bench

STORES = ("postgres", "neo4j", "elasticsearch")
GOALS = {"first": 120, "nothing changed": 8, "one module changed": 10}
RATIO = 2.5


def measured(what: str, store: str, data: Path, environment: dict[str, str]) -> dict[str, Any]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.stores_step", what, store, str(data)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return {"wall": time.perf_counter() - started, **json.loads(done.stdout.splitlines()[-1])}


def servers(stack: contextlib.ExitStack) -> dict[str, dict[str, str]]:
    """With the full compiler and a heap for this size, unlike those of the tests."""
    from ai_stack_assets_tests import servers as found

    options: dict[str, Any] = {"memory_mb": 1024, "is_optimised": True}
    started = {
        "postgres": stack.enter_context(found.postgres(max_wal_size="2GB")),
        "neo4j": stack.enter_context(found.neo4j(**options)),
        "elasticsearch": stack.enter_context(found.elasticsearch(**options)),
    }
    return {name: {"SERVER_URL": s.url, "SERVER_PASSWORD": s.password} for name, s in started.items()}


def together(source: Path, data: Path, where: dict[str, dict[str, str]]) -> None:
    """The three as a run does them, at the same time."""
    print("\nReal servers, all three at once")
    for label, goal in GOALS.items():
        if label == "one module changed":
            bench._change_one_module(source)
            bench.step("extract", source, data)
        started = time.perf_counter()
        with ThreadPoolExecutor(len(STORES)) as pool:
            for name, facts in zip(
                STORES, pool.map(lambda n: measured("ours", n, data, where[n]), STORES), strict=True
            ):
                bench.line(f"{label}: {name}", facts)
        print(f"  {label}: {time.perf_counter() - started:.1f} s in all (goal {goal} s)", flush=True)


def limits(data: Path, where: dict[str, dict[str, str]]) -> None:
    """Each alone: seconds of the loads themselves, without the start of Python."""
    print("\nFirst synchronisation of each alone, beside its own bulk loader and one call a row (sampled)")
    print(f"  {'store':<16}{'ours':>9}{'limit':>9}{'ours/limit':>12}{'by row':>10}{'by row/ours':>13}")
    for name in STORES:
        fresh, limit, rows = (
            measured(what, name, data, where[name]) for what in ("fresh", "limit", "baseline")
        )
        ratio, gain = fresh["seconds"] / limit["seconds"], rows["seconds"] / fresh["seconds"]
        verdict = "" if ratio <= RATIO else f"  MORE than {RATIO}"
        seconds = f"{fresh['seconds']:>7.1f} s{limit['seconds']:>7.1f} s{ratio:>12.2f}{rows['seconds']:>8.0f} s{gain:>13.0f}"
        alone = f"  (COPY alone {limit['copy_alone']} s)" if "copy_alone" in limit else ""
        print(f"  {name:<16}{seconds}{verdict}{alone}", flush=True)


def compare(source: Path, data: Path) -> None:
    """`data` holds the lake of `source`, which is changed on the way."""
    with contextlib.ExitStack() as stack:
        where = servers(stack)
        together(source, data, where)
        limits(data, where)


def main(arguments: list[str]) -> None:
    source, data = bench.prepared(arguments)
    bench.step("extract", source, data)
    compare(source, data)


if __name__ == "__main__":
    main(sys.argv[1:])
