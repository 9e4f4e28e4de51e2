"""The command behind `make run`, in processes of its own as a user starts it: real steps, real stores, real crashes."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._serdes import deserialize_value

from ai_stack_assets_tests.platform import PROJECT, SAMPLE, break_gates

pytestmark = pytest.mark.slow


@dataclass
class User:
    """Someone with a folder of configurations and a data folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "AI_STACK_ASSETS_DATA": str(self.folder / "data"),
            "AI_STACK_ASSETS_CONFIGURATIONS": str(self.folder / "configurations.yaml"),
        }
        return {**os.environ, **own}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ai_stack_assets", "run", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=PROJECT, env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and what was said; nothing may be said on standard error."""
        process = self.start(*arguments)
        said, errors = process.communicate(timeout=300)
        assert errors == ""
        return process.returncode, said


@pytest.fixture
def user(tmp_path: Path) -> User:
    shutil.copytree(SAMPLE, tmp_path / "trade")
    return User(tmp_path)


def test_a_new_source_is_listed_loaded_and_the_next_run_changes_nothing(user: User) -> None:
    code, said = user.run(str(user.folder / "trade"))
    assert code == 0, said
    assert "name: trade" in (user.folder / "configurations.yaml").read_text()
    assert "source: trade" in (user.folder / "configurations.yaml").read_text()
    assert "0 failed" in said and "Traceback" not in said
    assert rows(said, "postgres")[0] == rows(said, "postgres")[1] > 1000
    assert not (user.folder / "data" / "stores" / "postgres" / "postmaster.pid").exists()
    code, again = user.run("--name", "trade")
    assert code == 0, again
    assert rows(again, "postgres") == [rows(said, "postgres")[0], 0, 0, 0]
    assert rows(again, "methods") == [rows(said, "methods")[0], 0, 0, 0]


def test_a_failing_gate_ends_with_the_reason_and_exit_code_1(user: User) -> None:
    break_gates(user.folder / "trade")
    code, said = user.run(str(user.folder / "trade"))
    assert code == 1
    assert "children_match_configuration" in said
    assert "Traceback" not in said
    assert "not made" in said.split("stores", 1)[1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [("/nowhere", "/nowhere"), ("empty", "empty"), ("https://localhost:1/x.git", "localhost")],
)
def test_a_source_that_cannot_be_read_is_one_line_and_is_not_listed(
    user: User, source: str, reason: str
) -> None:
    (user.folder / "empty").mkdir()
    code, said = user.run(str(user.folder / source) if source == "empty" else source)
    assert code == 1
    [line] = [line for line in said.splitlines() if line.startswith("Failed: ")]
    assert reason in line
    assert not (user.folder / "configurations.yaml").exists()


def test_a_killed_step_fails_alone_and_the_next_run_repairs_it(user: User) -> None:
    process = user.start(str(user.folder / "trade"))
    victim = wait_for(lambda: step_process(user, "neo4j__onec__graph"))
    os.kill(victim, signal.SIGKILL)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert [name for name in ("postgres", "neo4j", "qdrant", "elasticsearch") if not rows(said, name)] == [
        "neo4j"
    ]
    code, again = user.run("--name", "trade")
    assert code == 0, again
    assert rows(again, "neo4j")[0] > 1000


def test_two_runs_of_one_configuration_at_once_both_succeed_and_agree(user: User) -> None:
    source = str(user.folder / "trade")
    (user.folder / "configurations.yaml").write_text(
        f"configurations:\n  - {{name: trade, source: {source}}}\n"
    )
    processes = [user.start("--name", "trade") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert all("0 failed" in text for text in said)
    assert rows(said[0], "postgres")[0] == rows(said[1], "postgres")[0]


def rows(said: str, name: str) -> list[int]:
    """Rows, added, changed, removed of a line of the summary; none when it was not made."""
    for line in said.splitlines():
        parts = line.replace(",", "").replace("·", "0").split()
        if parts[:1] == [name] and all(part.isdigit() for part in parts[1:]):
            return [int(part) for part in parts[1:]]
    return []


def step_process(user: User, step: str) -> int | None:
    """Process that executes a step, from the event log: read as a file, because a second instance that opens the
    storage while the run creates it would write to it."""
    for file in (user.folder / "data" / "dagster" / "history" / "runs").glob("*.db"):
        started = "select event from event_logs where step_key = ? and dagster_event_type = ?"
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as log,
            suppress(sqlite3.OperationalError),
        ):
            if log.execute(started, (step, "STEP_START")).fetchone():
                [event] = log.execute(started, (step, "STEP_WORKER_STARTED")).fetchone()
                entry = deserialize_value(event, dg.EventLogEntry)
                return int(entry.get_dagster_event().event_specific_data.metadata["pid"].value)
    return None


def wait_for(find, seconds: float = 120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := find():
            return found
        time.sleep(0.1)
    raise TimeoutError


def test_external_processors_in_one_folder_are_each_read_as_their_own(user: User) -> None:
    shutil.copytree(PROJECT / "samples" / "external" / "edt", user.folder / "external")
    code, said = user.run(str(user.folder / "external"), "--name", "ext")
    assert code == 0, said
    found = {p.parent.name: rows_of(p, "objects") for p in (user.folder / "data/lake/onec").glob("*/current")}
    kinds = {next(row["id"] for row in rows if row["owner_id"] is None) for rows in found.values()}
    assert kinds == {"ExternalReport.АнализСкидок", "ExternalDataProcessor.ПроверкаЦен"}


def test_the_same_configuration_in_two_places_gets_a_name_by_its_place(user: User) -> None:
    for layout in ("designer", "edt"):
        shutil.copytree(PROJECT / "samples" / "extension" / layout, user.folder / "many" / layout)
    code, said = user.run(str(user.folder / "many"), "--name", "many")
    assert code == 0, said
    listed = (user.folder / "configurations.yaml").read_text()
    assert "name: many-designer" in listed
    assert "name: many-edt" in listed


def test_ctrl_c_ends_the_run_and_the_next_one_goes_on(user: User) -> None:
    process = user.start(str(user.folder / "trade"))
    wait_for(lambda: list((user.folder / "data").glob("logs/*")))
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 130
    assert "Interrupted." in said
    code, said = user.run(str(user.folder / "trade"))
    assert code == 0, said


def rows_of(version: Path, table: str) -> list[dict]:
    import pyarrow.parquet as pq

    return pq.read_table(version / table).to_pylist()
