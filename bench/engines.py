"""The near-duplicate join beyond one machine: this one's threads, Ray and Spark with the same kernels on the same files.

    python -m bench.engines <folder of Parquet files with a column `code`> [local ray spark]

Prints seconds (start of the engine apart), the peak memory of all processes, and whether the components are the same.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

THRESHOLD = 0.8
ENGINES = ("local", "ray", "spark")


def local(parts: list[str]) -> tuple[float, float, np.ndarray]:
    import pyarrow.parquet as pq

    from ai_stack_assets.domain.dataset.dedupe.components import Joiner
    from ai_stack_assets.domain.dataset.dedupe.sets import collect

    started = time.perf_counter()
    batches = (b["code"] for part in parts for b in pq.ParquetFile(part).iter_batches(8192, columns=["code"]))
    sets = collect(batches)
    roots = Joiner(sets).components(THRESHOLD)
    of_text = np.where(sets.of_text < 0, -1 - np.arange(len(sets.of_text)), roots[sets.of_text])
    _, first, inverse = np.unique(of_text, return_index=True, return_inverse=True)
    return 0.0, time.perf_counter() - started, first[inverse]


def ray(parts: list[str]) -> tuple[float, float, np.ndarray]:
    import ray as engine

    from ai_stack_assets.domain.dataset.dedupe import on_ray

    started = time.perf_counter()
    engine.init(include_dashboard=False, log_to_driver=False)
    engine.get(engine.remote(lambda: __import__("ai_stack_assets.domain.dataset.dedupe.slices")).remote())
    ready = time.perf_counter()
    found = np.concatenate(on_ray.components(parts, THRESHOLD))
    return ready - started, time.perf_counter() - ready, found


def spark(parts: list[str]) -> tuple[float, float, np.ndarray]:
    """Two passes, as on Ray: counts, then slices; pickled slices travel as binary columns."""
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from ai_stack_assets.domain.dataset.dedupe import on_ray, slices

    started = time.perf_counter()
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.maxResultSize", "0")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    session.range(1).count()
    ready = time.perf_counter()
    jobs = session.createDataFrame(
        [(n, part) for n, part in enumerate(parts)], "n long, part string"
    ).repartition(len(parts), "n")

    def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for n, part in _rows(batches, "n", "part"):
            sets = _sets(part)
            payload = pickle.dumps((len(sets.offsets) - 1, sets.of_text, slices.counts(sets)))
            yield pa.RecordBatch.from_pydict({"n": [n], "payload": [payload]})

    rows = sorted(jobs.mapInArrow(counted, "n long, payload binary").collect())
    facts = [pickle.loads(row.payload) for row in rows]
    table = session.sparkContext.broadcast(slices.add_counts([counts for _, _, counts in facts]))
    starts = np.cumsum([0, *(sets for sets, _, _ in facts)])
    count = 4

    def cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for n, part in _rows(batches, "n", "part"):
            shares = slices.cut(_sets(part), table.value, int(starts[n]), count, THRESHOLD)
            for k, share in enumerate(shares):
                yield pa.RecordBatch.from_pydict({"slice": [k], "payload": [pickle.dumps(share)]})

    def link(shares: pa.Table) -> pa.Table:
        links = slices.link([pickle.loads(p) for p in shares["payload"].to_pylist()], THRESHOLD)
        return pa.table({"payload": [pickle.dumps(links)]})

    linked = (
        jobs.mapInArrow(cut, "slice long, payload binary")
        .groupBy("slice")
        .applyInArrow(link, "payload binary")
    )
    links = [pickle.loads(row.payload) for row in linked.collect()]
    found = on_ray.by_text([of for _, of, _ in facts], starts, slices.components(int(starts[-1]), links))
    seconds = time.perf_counter() - ready
    session.stop()
    return ready - started, seconds, np.concatenate(found)


def _rows(batches: Iterator[Any], *names: str) -> Iterator[tuple]:
    for batch in batches:
        yield from zip(*(batch[name].to_pylist() for name in names), strict=True)


def _sets(part: str) -> Any:
    import pyarrow.parquet as pq

    from ai_stack_assets.domain.dataset.dedupe import slices

    return slices.part_sets(pq.ParquetFile(part).read(columns=["code"])["code"].combine_chunks())


def _watch(process: int, peak: list[int], done: threading.Event) -> None:
    """Proportional memory of a process and all its descendants, every half second."""
    import psutil

    while not done.wait(0.5):
        total = 0
        try:
            family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for member in family:
            try:
                total += member.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        peak[0] = max(peak[0], total)


def measure(engine: str, parts: list[str], result: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.engines", "--one", engine, str(result), *parts]
    # both engines start Python workers of their own: the project must be importable there
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path.cwd()),
        "RAY_AUTH_MODE": "disabled",
        "PYSPARK_PYTHON": sys.executable,
    }
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, done))
    watcher.start()
    said, _ = process.communicate()
    done.set()
    watcher.join()
    if process.returncode:
        return {"engine": engine, "failed": process.returncode}
    return {**json.loads(said.splitlines()[-1]), "peak_mb": peak[0] >> 20}


def main(arguments: list[str]) -> None:
    if arguments[0] == "--one":
        engine, result, *parts = arguments[1:]
        start, seconds, found = globals()[engine](parts)
        np.save(result, found)
        print(json.dumps({"engine": engine, "start": round(start, 1), "seconds": round(seconds, 1)}))
        return
    parts = sorted(str(p) for p in Path(arguments[0]).glob("*.parquet"))
    first: np.ndarray | None = None
    for engine in arguments[1:] or ENGINES:
        result = Path(arguments[0]) / f".{engine}.npy"
        facts = measure(engine, parts, result)
        if "failed" not in facts:
            found = np.load(result)
            first = found if first is None else first
            facts["same_components"] = bool(np.array_equal(found, first))
            facts["texts"], facts["components"] = len(found), len(np.unique(found))
        print(facts, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
