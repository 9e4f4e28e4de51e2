"""The real daemon on a folder of its own: sensors add configurations, the queue starts their runs. For tests and benchmarks."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from ai_stack_assets_tests.servers.session import PROJECT, session

PARTITION = "dagster/partition"


@dataclass(frozen=True)
class Ended:
    """One run. Seconds since the epoch."""

    configuration: str
    status: str
    queued: float
    started: float
    ended: float


@dataclass(frozen=True)
class Daemon:
    process: subprocess.Popen[bytes]
    home: Path
    instance: dg.DagsterInstance

    def ended(self) -> list[Ended]:
        """Runs that are over, in the order of queueing."""
        records = self.instance.get_run_records(dg.RunsFilter(statuses=FINISHED_STATUSES))
        return [
            Ended(
                record.dagster_run.tags[PARTITION],
                record.dagster_run.status.value,
                record.create_timestamp.timestamp(),
                record.start_time or 0.0,
                record.end_time or 0.0,
            )
            for record in sorted(records, key=lambda record: record.storage_id)
        ]

    def wait(self, runs: int, seconds: float) -> list[Ended]:
        """Until so many are over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"the daemon ended with {self.process.returncode}: see {self.home / 'daemon.log'}"
                )
            if len(found := self.ended()) >= runs:
                return found
            time.sleep(1)
        raise TimeoutError(f"{len(self.ended())} of {runs} runs ended within {seconds:.0f} s")


@contextlib.contextmanager
def running(folder: Path, sources: Mapping[str, Path]) -> Generator[Daemon]:
    """With these configurations listed in `configurations.yaml`; its data lie in `<folder>/data`."""
    home = folder / "data" / "dagster"
    home.mkdir(parents=True)
    shutil.copy(PROJECT / "dagster.yaml", home)
    lines = [f"  - {{name: {name}, source: '{source}'}}\n" for name, source in sources.items()]
    (folder / "configurations.yaml").write_text("configurations:\n" + "".join(lines))
    own = {
        "AI_STACK_ASSETS_DATA": str(folder / "data"),
        "AI_STACK_ASSETS_CONFIGURATIONS": str(folder / "configurations.yaml"),
        "DAGSTER_HOME": str(home),
    }
    instance = dg.DagsterInstance.from_config(str(home))
    # made before the daemon does the same: SQLite's tables of two makers at once are broken
    _ = instance.run_storage, instance.event_log_storage, instance.schedule_storage
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", "workspace.yaml"]
    with session(command, home / "daemon.log", own) as process:
        try:
            yield Daemon(process, home, instance)
        finally:
            instance.dispose()


def most_at_once(runs: Iterable[Ended]) -> int:
    """How many ran at the same time at most."""
    # an end comes before a start of the same moment
    moments = sorted([(run.started, 1) for run in runs] + [(run.ended, -1) for run in runs])
    now = most = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most
