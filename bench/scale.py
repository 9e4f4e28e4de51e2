"""Time and memory against size: extraction, vectoriser and the four stores, each a process of its own as Dagster has them.

    make bench ARGS=--scale                   300, 2,200 and 16,600 modules (2.3 GB of files, and as much again)
    make bench ARGS="--scale 300 2200"        only these
    make bench ARGS=--queue                   twenty configurations of 150 modules at once, with the real daemon

CPU seconds are of all processes of a step, memory is their proportional share (PSS), sampled: what they have in common counts
once. The four stores run at the same time; "together" is what they take then, PostgreSQL's server included.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.generate import generate

WORK = Path(__file__).parent / ".work" / "scale"
SIZES = (300, 2_200, 16_600)
STORES = ("postgres", "graph", "search", "vectors")
SAMPLED_SECONDS = 0.25
_SUBREAPER = 36


@dataclass
class Usage:
    """Of a process and all below it, while somebody looked."""

    cpu: dict[int, float] = field(default_factory=dict)
    """Seconds by process: those that ended keep what they had."""
    peak: int = 0

    def see(self, processes: Iterable[psutil.Process]) -> int:
        """Bytes now."""
        now = 0
        for process in processes:
            try:
                times = process.cpu_times()
                self.cpu[process.pid] = times.user + times.system
                now += process.memory_full_info().pss
            except psutil.Error:
                continue
        self.peak = max(self.peak, now)
        return now


@dataclass
class Step:
    what: str
    wall: float
    cpu: float
    peak: int
    facts: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        phases = {name: round(seconds, 1) for name, seconds in self.facts.get("phases", {}).items()}
        return f"  {self.what:<12}{self.wall:>9.1f}{self.cpu:>9.1f}{self.peak / 2**20:>9,.0f}  {phases or ''}"


def run(whats: Iterable[str], source: Path, data: Path) -> list[Step]:
    """These steps at the same time; with several, the last line is what they take together.

    Servers that a step starts and that leave its family are taken in, and counted apart.
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    started = time.perf_counter()
    running = {
        what: subprocess.Popen(
            [sys.executable, "-m", "bench.step", what, str(source), str(data)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for what in whats
    }
    usages = {what: Usage() for what in (*running, "server")}
    ended: dict[str, float] = {}
    together = 0
    while len(ended) < len(running):
        families = {what: _family(process.pid) for what, process in running.items() if what not in ended}
        own = {process.pid for process in running.values()}
        families["server"] = [
            member
            for child in psutil.Process().children()
            if child.pid not in own
            for member in _family(child.pid)
        ]
        together = max(together, sum(usages[what].see(family) for what, family in families.items()))
        for what, process in running.items():
            if what not in ended and process.poll() is not None:
                ended[what] = time.perf_counter() - started
        time.sleep(SAMPLED_SECONDS)
    steps = [_step(what, process, ended[what], usages[what]) for what, process in running.items()]
    if len(steps) > 1:
        server = usages["server"]
        steps.append(Step("server", max(ended.values()), sum(server.cpu.values()), server.peak))
        steps.append(Step("together", max(ended.values()), sum(step.cpu for step in steps), together))
    return steps


def _step(what: str, process: subprocess.Popen[str], wall: float, usage: Usage) -> Step:
    assert process.stdout
    said = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{what} failed with {process.returncode}")
    return Step(what, wall, sum(usage.cpu.values()), usage.peak, json.loads(said.splitlines()[-1]))


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def report(modules: int, source: Path) -> list[Step]:
    """Everything from the source to four stores, then again with nothing changed."""
    if not source.exists():
        generate(source, modules)
    data = WORK / f"data-{modules}"
    shutil.rmtree(data, ignore_errors=True)
    files = [file for file in source.rglob("*") if file.is_file()]
    mega = {kind: sum(f.stat().st_size for f in files if f.suffix == kind) / 1e6 for kind in (".bsl", ".xml")}
    print(
        f"\n{modules:,} modules: {len(files):,} files, {mega['.bsl']:,.0f} MB of BSL, {mega['.xml']:,.0f} MB of XML"
    )
    print(f"  {'':<12}{'seconds':>9}{'CPU s':>9}{'MB':>9}")
    steps = []
    for whats in (("extract",), ("vectoriser",), STORES, ("extract",), STORES):
        done = run(whats, source, data)
        print("\n".join(step.line() for step in done), flush=True)
        steps += done
    rows = steps[0].facts["rows"]
    print(f"  rows {rows}, failed checks {steps[0].facts['failed_checks']}")
    code = {name: f"{rows[name] / mega['.bsl']:.0f}" for name in ("methods", "calls", "queries")}
    metadata = {name: f"{rows[name] / mega['.xml']:.0f}" for name in ("fields", "references")}
    print(f"  per MB of BSL {code} (real: 493, 3711, 30), of XML {metadata} (real: 668, 661)")
    return steps


def queue(configurations: int = 20, modules: int = 150) -> None:
    """All listed in one moment: what the daemon makes of them, and what all processes take together."""
    from ai_stack_assets_tests import daemon

    folder = WORK / "queue"
    shutil.rmtree(folder, ignore_errors=True)
    sources = {f"generated_{n}": folder / f"source-{n}" for n in range(configurations)}
    for seed, source in enumerate(sources.values()):
        generate(source, modules, seed)
    print(f"\n{configurations} configurations of {modules} modules at once")
    started = time.perf_counter()
    with daemon.running(folder, sources) as running:
        usage = Usage()
        runs: list[daemon.Ended] = []
        while len(runs) < configurations:
            usage.see(_family(running.process.pid))
            time.sleep(1)
            runs = running.ended()
    seconds = time.perf_counter() - started
    waits = sorted(run.started - run.queued for run in runs)
    print(f"  {seconds:.0f} s, {sum(usage.cpu.values()):.0f} CPU s, {usage.peak / 2**20:,.0f} MB at most")
    print(f"  at once at most {daemon.most_at_once(runs)}; waited {waits[0]:.0f} to {waits[-1]:.0f} s")
    print(f"  {dict(Counter(run.status for run in runs))}, started {[run.configuration for run in runs]}")


def main(arguments: list[str]) -> None:
    """`--scale [SIZE…]` or `--queue`."""
    if arguments[0] == "--queue":
        queue()
        return
    sizes = [int(argument) for argument in arguments[1:]] or SIZES
    found = {size: report(size, WORK / f"generated-{size}") for size in sizes}
    if len(found) > 1:
        print("\nCPU seconds per 1,000 modules: equal numbers in a row mean linear growth")
        print(f"  {'':<12}" + "".join(f"{size:>9,}" for size in found))
        for number, step in enumerate(found[sizes[0]]):
            rates = (steps[number].cpu / size * 1000 for size, steps in found.items())
            print(f"  {step.what:<12}" + "".join(f"{rate:>9.1f}" for rate in rates))


if __name__ == "__main__":
    main(sys.argv[1:])
