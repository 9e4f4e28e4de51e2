"""`make bench`: what the platform takes, beside named peers on the same input.

    make bench                        a generated configuration of 2,200 modules
    make bench ARGS=--scale           time and memory against size, up to a full ERP; --queue: twenty at once
    make bench ARGS=path/to/dump      your own; its counts are compared with the reference readers, too

Peers: mdclasses and bsl-parser (Java readers of 1C sources; they parse and write nothing). Each figure is the wall time of a
whole process, start included.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import dedupe
from bench.generate import generate

WORK = Path(__file__).parent / ".work"
STORES = ("postgres", "graph", "search", "vectors")
SIZES = (300, 2200)


def step(what: str, source: Path, data: Path) -> dict:
    """Runs one step; `wall` includes the start of Python."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.step", what, str(source), str(data)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {"wall": round(time.perf_counter() - started, 2), **json.loads(done.stdout.splitlines()[-1])}


def line(label: str, facts: dict) -> None:
    peak = max(facts["peak_mb"].values())
    rest = {
        key: facts[key]
        for key in ("phases", "added", "changed", "removed", "differences_left", "is_refitted")
        if key in facts
    }
    print(f"  {label:<34}{facts['wall']:>8.1f} s{peak:>8} MB  {rest}", flush=True)


def extraction(source: Path, data: Path) -> float:
    print(f"\nExtraction of {source}")
    cold = step("extract", source, data)
    line("cold", cold)
    print(f"    rows {cold['rows']}, failed checks {cold['failed_checks']}")
    line("nothing changed", step("extract", source, data))
    _change_one_module(source)
    line("one module changed", step("extract", source, data))
    return cold["wall"]


def stores(source: Path, data: Path) -> None:
    print("\nStores, all four at once")
    for label in ("first", "nothing changed", "one module changed"):
        if label == "one module changed":
            _change_one_module(source)
            step("extract", source, data)
        started = time.perf_counter()
        line(f"{label}: vectoriser", step("vectoriser", source, data))
        with ThreadPoolExecutor(len(STORES)) as pool:
            for name, facts in zip(
                STORES, pool.map(lambda name: step(name, source, data), STORES), strict=True
            ):
                line(f"{label}: {name}", facts)
        print(f"  {label}: {time.perf_counter() - started:.1f} s in all")


def peers(source: Path, ours: float) -> None:
    if not (shutil.which("java") and shutil.which("mvn")):
        print("\nReference readers: not run, they need Java 17 and Maven")
        return
    print("\nReference readers on the same input (they write nothing)")
    for script in ("compare_metadata", "compare_bsl"):
        done = subprocess.run([sys.executable, "-m", f"bench.{script}", str(source)], check=False, text=True)
        print(f"  {script}: {'equal' if done.returncode == 0 else 'DIFFERENT'}")
    seconds = _peer_seconds(source)
    for name, taken in seconds.items():
        print(f"  {name:<34}{taken:>8.1f} s")
    print(f"  ours / both readers: {ours / sum(seconds.values()):.2f}")


def _peer_seconds(source: Path) -> dict[str, float]:
    from ai_stack_assets.domain.onec.layout import discover
    from bench import compare_bsl, compare_metadata

    seconds = {}
    started = time.perf_counter()
    for root in discover(source):
        compare_metadata.reference(root)
    seconds["mdclasses"] = time.perf_counter() - started
    started = time.perf_counter()
    list(compare_bsl.reference(sorted(source.rglob("*.bsl"))))
    seconds["bsl-parser"] = time.perf_counter() - started
    return seconds


def growth() -> None:
    print("\nGrowth (generated)")
    for size in SIZES:
        source = WORK / f"generated-{size}"
        generate(source, size)
        line(f"{size} modules, cold", step("extract", source, _fresh(WORK / "data-growth")))


def _change_one_module(source: Path) -> None:
    module = max(source.rglob("Module.bsl"), key=lambda file: file.stat().st_size)
    module.write_bytes(module.read_bytes() + f"\n// {time.time_ns()}\n".encode())
    # younger files are read again by the next run, too
    time.sleep(2.1)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def prepared(arguments: list[str]) -> tuple[Path, Path]:
    """A copy of what is measured, since modules are changed on the way, and an empty data folder."""
    original = Path(arguments[0]) if arguments else WORK / f"generated-{SIZES[-1]}"
    if not arguments and not original.exists():
        generate(original, SIZES[-1])
    source = _fresh(WORK / "source")
    shutil.copytree(original, source, ignore=shutil.ignore_patterns(".git"))
    return source, _fresh(WORK / "data")


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] in ("--scale", "--queue"):
        from bench import scale

        scale.main(arguments)
        return
    from bench import stores as real

    growth()
    source, data = prepared(arguments)
    ours = extraction(source, data)
    stores(source, data)
    real.compare(source, data)
    peers(source, ours)
    dedupe.main()


if __name__ == "__main__":
    main(sys.argv[1:])
