"""Near-duplicates: time and memory of ours on generated sets, beside peers, and what each finds beside brute force.

    python -m bench.dedupe              the table: 140,000 and a million methods, 100 families of 2,000 forks, peers on 140,000
    python -m bench.dedupe quick        a tenth of it
    python -m bench.dedupe one NAME VERSION [MB]     one search: prints a line of JSON

Every search is a process of its own, so its peak memory counts. Ours reads code from Parquet and ends with what becomes of every
record; the first one of a fresh checkout compiles, so one is run unmeasured. Peers: `datasketch`, `rensa`, `datatrove`, where
they are installed.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.dedupe_data import make
from bench.dedupe_peers import PEERS, shingles_of

WORK = Path(__file__).parent / ".work" / "dedupe"
SAMPLE = 4_000
MEMORY_MB = 2048
SMALL_MB = 256


def ours(version, memory_mb: int) -> tuple[float, float, np.ndarray, dict]:
    """Seconds, CPU seconds, a label per record, facts."""
    from ai_stack_assets.domain.dataset.dedupe.deduplicate import Settings, judge

    started = time.perf_counter(), time.process_time()
    _ids, verdicts, facts = judge(version, Settings(memory_bytes=memory_mb << 20))
    return time.perf_counter() - started[0], time.process_time() - started[1], verdicts.cluster, facts


def one(name: str, path: Path, memory_mb: int = MEMORY_MB) -> dict:
    """A search in this process, and on a sample how it compares with brute force."""
    from ai_stack_assets.domain.common.lake import Version

    version = Version(path.parent.name, path)
    facts: dict = {}
    if name == "ours":
        wall, cpu, labels, facts = ours(version, memory_mb)
    else:
        wall, cpu, labels = PEERS[name](version)
    found = {"seconds": round(wall, 1), "cpu_seconds": round(cpu, 1), "peak_mb": _peak_mb()}
    found |= {"components": len(np.unique(labels)), "rows": len(labels)}
    found |= {key: facts[key] for key in ("rows_out", "passes", "spilled_bytes") if key in facts}
    return (
        found | quality(shingles_of(version)[:SAMPLE], labels[:SAMPLE])
        if version.rows("records") <= SAMPLE
        else found
    )


def quality(sets: list[np.ndarray], labels: np.ndarray) -> dict:
    """Beside all pairs of a sample: `recall`: alike pairs that came together; `precision`: records that would be removed and have
    an alike one; `is_exact`: the components are those of brute force."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    values, columns = np.unique(np.concatenate(sets), return_inverse=True)
    rows = np.append(0, np.cumsum([len(s) for s in sets]))
    matrix = csr_array((np.ones(len(columns), np.int32), columns, rows), shape=(len(sets), len(values)))
    common = (matrix @ matrix.T).tocoo()
    sizes = np.diff(rows)
    a, b = common.coords
    alike = (9 * common.data >= 4 * (sizes[a] + sizes[b])) & (a != b)
    a, b = a[alike], b[alike]
    truth = connected_components(
        csr_array((np.ones(len(a)), (a, b)), shape=(len(sets),) * 2), directed=False
    )[1]
    has_twin = np.zeros(len(sets), bool)
    has_twin[a] = True
    first = np.unique(labels, return_index=True)[1]
    removed = np.setdiff1d(np.arange(len(labels)), first)
    together = np.unique(np.stack([labels, truth]), axis=1).shape[1]
    return {
        "recall": round(float((labels[a] == labels[b]).mean()), 4),
        "precision": round(float(has_twin[removed].mean()), 4),
        "is_exact": together == len(np.unique(labels)) == len(np.unique(truth)),
    }


def _peak_mb() -> int:
    """Of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)


def _run(name: str, path: Path, memory_mb: int = MEMORY_MB) -> dict:
    command = [sys.executable, "-m", "bench.dedupe", "one", name, str(path), str(memory_mb)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _line(label: str, found: dict) -> None:
    rest = {k: v for k, v in found.items() if k not in ("seconds", "cpu_seconds", "peak_mb", "rows")}
    print(
        f"  {label:<40}{found['seconds']:>8.1f} s {found['cpu_seconds']:>8.1f} s CPU{found['peak_mb']:>7} MB  {rest}",
        flush=True,
    )


def main(scale: float = 1) -> None:
    print("\nNear-duplicates: J >= 0.8 of token 5-grams, two threads")
    sample = make(WORK, "methods", SAMPLE)
    _run("ours", sample.path)
    large = [
        ("methods", 140_000),
        ("methods", 1_000_000),
        ("forks", 50_000),
        ("forks", 100_000),
        ("forks", 200_000),
    ]
    for kind, count in large:
        count = int(count * scale)
        path = make(WORK, kind, count).path
        _line(f"ours, {kind} {count:,}", _run("ours", path))
        if count == int(1_000_000 * scale):
            _line(f"ours, {kind} {count:,}, {SMALL_MB} MB", _run("ours", path, SMALL_MB))
    peers = [name for name in PEERS if importlib.util.find_spec(name)]
    missing = sorted(set(PEERS) - set(peers))
    print(f"\n  beside peers{', without ' + ', '.join(missing) + ': not installed' if missing else ''}")
    path = make(WORK, "methods", int(140_000 * scale)).path
    for name in peers:
        _line(f"{name}, methods {int(140_000 * scale):,}", _run(name, path))
    print(f"\n  beside brute force, {SAMPLE:,} methods")
    for name in ("ours", *peers):
        _line(name, _run(name, sample.path))


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(
            json.dumps(one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else MEMORY_MB))
        )
    else:
        main(0.1 if sys.argv[1:] == ["quick"] else 1)
