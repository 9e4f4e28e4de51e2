"""History of a real repository: the first version alone against all of them, memory, rows; and the numbers against extraction.

python -m bench.history /path/to/repository [--check]     --check: the last two versions against two full extractions
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.onec.history.backfill import History

COUNTED = ("objects", "fields", "modules", "methods", "calls", "queries", "rejected")


class Meter:
    """Wall and CPU seconds and peak memory of this process and all that it has started, forkservers' children included."""

    def __init__(self) -> None:
        self._me, self._cpu = psutil.Process(), {}
        self.peak_mb, self._done = 0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Meter:
        self._look()
        self._before, self._start = sum(self._cpu.values()), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._look()
        self.wall, self.cpu = time.perf_counter() - self._start, sum(self._cpu.values()) - self._before

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self._look()

    def _look(self) -> None:
        memory = 0
        for process in [self._me, *self._me.children(recursive=True)]:
            try:
                times, memory = process.cpu_times(), memory + process.memory_info().rss
            except psutil.Error:
                continue
            # what died between two looks is lost but for its parent's count: at most a git command's milliseconds
            self._cpu[process.pid, process.create_time()] = times.user + times.system
        self.peak_mb = max(self.peak_mb, memory // 2**20)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    parser.add_argument("--zone", default="Europe/Moscow")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.repository, ZoneInfo(options.zone), Path(folder))
        if options.check:
            check(options.repository, ZoneInfo(options.zone), Path(folder))


def opened(repository: str, zone: ZoneInfo, folder: Path) -> History:
    return History(repository, Lake(folder / "lake"), folder / "cache", zone)


def measure(repository: str, zone: ZoneInfo, folder: Path) -> None:
    log = opened(repository, zone, folder).log
    days = [day for day, _ in log.states]
    print(f"{len(log.commits)} commits, {len(days)} states, {days[0]} to {days[-1]}")
    with Meter() as first, opened(repository, zone, folder / "first") as history:
        # the first that is a configuration
        next(day for day in history.days(days) if day.status == "read")
    report("first version alone", first, 1)
    with Meter() as whole, opened(repository, zone, folder / "all") as history:
        found = list(history.days(days))
    report("all versions", whole, len(found))
    print(f"all / first: wall {whole.wall / first.wall:.1f}, CPU {whole.cpu / first.cpu:.1f}")
    with Meter() as again, opened(repository, zone, folder / "all") as history:
        assert not any(day.is_new for day in history.days(days))
    report("again, nothing to do", again, len(found))
    lake = Lake(folder / "all" / "lake")
    rows = {
        t: sum(lake.require(d).rows(t) for d in lake.configurations()) for t in ("history", "history_changes")
    }
    size = sum(file.stat().st_size for file in lake.root.rglob("*.parquet"))
    print(f"rows {rows}, {size / 2**20:.1f} MB, files parsed {sum(day.parsed for day in found)}")


def report(what: str, meter: Meter, versions: int) -> None:
    per = meter.wall / versions
    print(
        f"{what:<22} {versions:>4} versions  wall {meter.wall:7.2f} s ({per:.2f} each)  CPU {meter.cpu:7.2f} s"
        f"  peak {meter.peak_mb} MB"
    )


def check(repository: str, zone: ZoneInfo, folder: Path) -> None:
    """Raises AssertionError when history says something else than extraction of the same commits."""
    history = opened(repository, zone, folder / "all")
    (_, before), (day, now) = history.log.states[-2:]
    row = history.kept[day.isoformat()]["row"]
    lake, cache = Lake(folder / "full"), folder / "full_cache"
    old, new = (
        extract(name, f"{repository}@{commit.id}", lake, cache).version
        for name, commit in (("before", before), ("now", now))
    )
    assert {name: row[name] for name in COUNTED} == {name: new.rows(name) for name in COUNTED}
    methods = new.table("methods", ["cyclomatic", "cognitive", "statements", "is_export", "body_hash"])
    columns = {name: methods[name].to_pylist() for name in methods.column_names}
    assert row["exports"] == sum(columns["is_export"])
    assert all(row[name] == sum(columns[name]) for name in ("cyclomatic", "cognitive", "statements"))
    assert row["duplicate_methods"] == len(methods) - len(set(columns["body_hash"]))
    assert row["lines"] == sum(new.table("modules", ["lines"])["lines"].to_pylist())
    changes = history.lake.require(day.isoformat()).table("history_changes").to_pylist()
    told = {(c["what"], c["change"], c["id"]) for c in changes}
    expected = compared("method", *(facts_of_methods(version) for version in (old, new)))
    expected |= compared("object", *(facts_of_objects(version) for version in (old, new)))
    assert told == expected, sorted(told ^ expected)[:20]
    print(f"{day}: {len(COUNTED) + 6} numbers and {len(told)} changes equal those of two full extractions")


def facts_of_methods(version: Version) -> dict[str, Any]:
    rows = version.table("methods", ["id", "body_hash"]).to_pylist()
    return {row["id"]: row["body_hash"] for row in rows}


def facts_of_objects(version: Version) -> dict[str, Any]:
    """An object with its fields, its links and its own query texts."""
    facts: dict[str, set] = {}
    for table, owner in (("objects", "id"), ("fields", "object_id"), ("references", "source_object_id")):
        for row in version.table(table, [*{owner, "content_hash"}]).to_pylist():
            facts.setdefault(row[owner], set()).add((table, row["content_hash"]))
    for row in version.table("queries", ["object_id", "place_id", "source", "text"]).to_pylist():
        if row["source"] != "module":
            facts[row["object_id"]].add((row["place_id"], row["text"]))
    return facts


def compared(what: str, old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        *((what, "added", i) for i in new.keys() - old.keys()),
        *((what, "removed", i) for i in old.keys() - new.keys()),
        *((what, "changed", i) for i in old.keys() & new.keys() if old[i] != new[i]),
    }


if __name__ == "__main__":
    main()
