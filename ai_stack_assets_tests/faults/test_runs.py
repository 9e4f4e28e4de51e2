"""Whole runs as a user starts them, with real steps: a store that is down, processes that are killed, runs at once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG
from ai_stack_assets_tests import daemon, servers
from ai_stack_assets_tests.cli.test_run import User, rows, step_process, wait_for
from ai_stack_assets_tests.platform import PROJECT, SAMPLE

pytestmark = pytest.mark.slow
STORES = ("postgres", "neo4j", "qdrant", "elasticsearch")
SECONDS = 300
TAGS = json.dumps({PARTITION_TAG: "trade"})


@dataclass
class Run:
    """The command line on a folder of its own; each run leads a process group."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ai_stack_assets", "run", *arguments],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def dagster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("dagster")), *arguments]
        home = {"DAGSTER_HOME": str(self.folder / "data" / "dagster")}
        return subprocess.run(
            command,
            cwd=PROJECT,
            env={**self.environment, **home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "AI_STACK_ASSETS_DATA": str(self.folder / "data"),
            "AI_STACK_ASSETS_CONFIGURATIONS": str(self.folder / "configurations.yaml"),
        }
        return {**os.environ, **own, **self.settings}

    def __call__(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said

    def processes(self) -> list[psutil.Process]:
        """Those that work on this folder, by their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("AI_STACK_ASSETS_DATA") == str(self.folder / "data"):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    shutil.copytree(SAMPLE, tmp_path / "trade")
    (tmp_path / "configurations.yaml").write_text("configurations:\n  - {name: trade, source: trade}\n")
    run = Run(tmp_path)
    yield run
    for process in run.processes():
        process.kill()


def written(said: str, store: str) -> int | None:
    """Rows added, changed and removed; None when the store was not made."""
    found = rows(said, store)
    return sum(found[1:]) if found else None


def _settings(store: str, server: Any) -> dict[str, str]:
    if store == "postgres":
        return {"POSTGRES_URL": server.create_database("down")}
    if store == "neo4j":
        return {"NEO4J_URI": server.url, "NEO4J_USER": server.user, "NEO4J_PASSWORD": server.password}
    return {"ELASTICSEARCH_URL": server.url}


@pytest.mark.parametrize("down", ["postgres", "neo4j", "elasticsearch"])
def test_a_store_that_is_down_is_red_alone_and_the_next_run_repairs_only_it(run: Run, down: str) -> None:
    with getattr(servers, down)() as server:
        run.settings = _settings(down, server)
        server.kill()
        code, said = run("--name", "trade")
        assert code == 1, said
        assert next(iter(run.settings)) in said
        assert [store for store in STORES if written(said, store) is None] == [down]

        server.start()
        code, said = run("--name", "trade")
        assert code == 0, said
        assert {store: bool(written(said, store)) for store in STORES} == {
            store: store == down for store in STORES
        }

        server.kill()  # after its write
        server.start()
        code, said = run("--name", "trade")
        assert code == 0, said
        assert [written(said, store) for store in STORES] == [0, 0, 0, 0]


def test_a_store_that_dies_during_its_write_and_comes_back_costs_a_retry(run: Run) -> None:
    with servers.postgres() as server:
        run.settings = {"POSTGRES_URL": server.create_database("during")}

        def crash() -> None:
            wait_for(lambda: step_process(User(run.folder), "postgres__onec__tables"))
            server.kill()
            server.start()

        crashing = threading.Thread(target=crash)
        crashing.start()
        code, said = run("--name", "trade")
        crashing.join()
        assert [store for store in STORES if written(said, store) is None] in ([], ["postgres"]), said
        if code or "0 failed" not in said:  # a look at its health may have been just then, too
            code, said = run("--name", "trade")
        in_parity(code, said)


def in_parity(code: int, said: str) -> None:
    """All done, and each store's check has compared every row with the lake."""
    assert code == 0, said
    assert "0 failed" in said, said
    assert all(written(said, store) is not None for store in STORES), said


@pytest.mark.parametrize("victim", ["worker", "group"])
def test_after_a_kill_the_next_run_ends_in_parity_and_nothing_is_left(run: Run, victim: str) -> None:
    kill_once(run, victim, random.Random(victim).uniform(2, 8))


def kill_once(run: Run, victim: str, moment: float) -> None:
    """Kill after so many seconds; the next run ends in parity, and no process is left of either."""
    process = run.start("--name", "trade")
    time.sleep(moment)
    if victim == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "worker":
        process.kill()
    elif steps := [p for p in run.processes() if p.pid != process.pid and p.children() == []]:
        steps[-1].kill()
    process.communicate(timeout=SECONDS)
    in_parity(*run("--name", "trade"))
    _, alive = psutil.wait_procs(run.processes(), timeout=60)
    assert [process.cmdline() for process in alive] == []


def test_two_configurations_and_two_runs_of_one_at_once_end_in_parity(run: Run) -> None:
    shutil.copytree(SAMPLE, run.folder / "other")
    (run.folder / "configurations.yaml").write_text(
        "configurations:\n  - {name: trade, source: trade}\n  - {name: other, source: other}\n"
    )
    processes = [run.start("--name", name) for name in ("trade", "trade", "other")]
    said = [process.communicate(timeout=SECONDS)[0] for process in processes]
    for process, text in zip(processes, said, strict=True):
        in_parity(process.returncode, text)


def test_the_sensor_a_launch_and_the_command_line_at_once_end_in_parity(tmp_path: Path) -> None:
    """A launch goes to the queue, as one of the page or of a schedule does."""
    shutil.copytree(SAMPLE, tmp_path / "trade")
    run = Run(tmp_path)
    with daemon.running(tmp_path, {"trade": tmp_path / "trade"}) as queue:
        wait_for(
            lambda: queue.instance.get_dynamic_partitions(CONFIGURATION)
        )  # the sensor has asked for a run
        by_hand = run.start("--name", "trade")
        launched = run.dagster("job", "launch", "-w", "workspace.yaml", "-j", keys.PIPELINE, "--tags", TAGS)
        assert launched.returncode == 0, launched.stdout
        said, _ = by_hand.communicate(timeout=SECONDS)
        runs = queue.wait(3, seconds=SECONDS)
    assert by_hand.returncode == 0, said
    assert [ended.status for ended in runs] == ["SUCCESS"] * 3
    in_parity(*run("--name", "trade"))
