"""Features of one configuration: the first time, after a change of some methods, with nothing changed; and of single methods.

    python -m bench.features DUMP [PROCESSES]        default: as many processes as cores

Wall time of the step alone, user and system time of all its processes, peak memory of the largest. The extraction is not counted.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.training.features import compute, store
from ai_stack_assets.domain.training.features.sources import ConfigurationRecords

WORK = Path(__file__).parent / ".work" / "features"
CHANGED = 20
"""Methods: a module or so."""


class Edited(ConfigurationRecords):
    """The same configuration after somebody wrote a line into some methods."""

    def __init__(self, version: Version) -> None:
        super().__init__(version)
        self.version = Version(version.configuration, version.path.with_name("edited"))
        self._before = ConfigurationRecords(version)

    def batches(self) -> Iterator[pa.Table]:
        numbers = count()
        for batch in self._before.batches():
            rows = [_edited(row) if next(numbers) < CHANGED else row for row in batch.to_pylist()]
            yield pa.Table.from_pylist(rows, batch.schema)


def _edited(row: dict[str, Any]) -> dict[str, Any]:
    code = row["code"].replace("\n", "\n\tНовое = 1;\n", 1)
    return {**row, "code": code, "content_hash": text_hash(" ".join(code.split()))}


def measured(what: str, work: Callable[[], Any]) -> None:
    before, started = _cpu(), time.perf_counter()
    facts = work()
    wall, peak = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what:<28}{wall:>8.1f} s wall{_cpu() - before:>8.1f} s user+sys{peak:>7} MB  {facts}", flush=True)


def _cpu() -> float:
    """Of this process and of all that it started, the server that workers are forked from included."""
    ticks = os.sysconf("SC_CLK_TCK")
    own, total = os.getpid(), 0.0
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / ticks
    for process, (_, seconds) in parents.items():
        above = process
        while above in parents and above != own:
            above = parents[above][0]
        total += seconds if above == own else 0
    return total


def main(dump: str, workers: int) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    name = re.sub(r"\W", "_", Path(dump).parts[-3])
    version = extract(name, dump, Lake(WORK / "lake"), WORK / "cache").version
    lake = Lake(WORK / "features")

    def update(source: ConfigurationRecords) -> dict[str, Any]:
        made = store.update(lake, source, workers=workers)
        return {name: made.facts[name] for name in ("rows", "computed", "parts_taken_over")} | {
            "is_new": made.is_new
        }

    print(f"{version.rows('methods'):,} methods of {dump}, {workers} processes")
    measured("first", lambda: update(ConfigurationRecords(version)))
    measured("nothing changed", lambda: update(ConfigurationRecords(version)))
    measured(f"{CHANGED} methods changed", lambda: update(Edited(version)))
    asked = next(ConfigurationRecords(version).batches()).to_pylist()[:1000]
    measured("1,000 methods at hand", lambda: {"rows": compute.of_methods(asked).num_rows})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else len(os.sched_getaffinity(0)))
