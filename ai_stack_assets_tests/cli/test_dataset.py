"""The command behind `python -m ai_stack_assets dataset`, in a process of its own: a week built, built again, and refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ai_stack_assets_tests.library import commit, library, method
from ai_stack_assets_tests.platform import PROJECT

pytestmark = pytest.mark.slow
IN_ONE_PROCESS = "Executing steps in process"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = library(tmp_path / "library")
    (tmp_path / "dataset.yaml").write_text(
        f"name: team/bsl\ngithub:\n  workers: 1\n  repositories: ['{folder}']\n  licences: {{'{folder}': MIT}}\n"
    )
    return folder


def dataset(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, what was said, and what the newest log file has."""
    own = {
        "AI_STACK_ASSETS_DATA": str(folder / "data"),
        "AI_STACK_ASSETS_CONFIGURATIONS": str(folder / "configurations.yaml"),
        "AI_STACK_ASSETS_DATASET": str(folder / "dataset.yaml"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "ai_stack_assets", "dataset", *arguments],
        cwd=PROJECT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stderr == ""
    log = max((folder / "data" / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return done.returncode, done.stdout, log.read_text()


def published(said: str) -> str:
    """The line that tells the revision, without what it is a revision of."""
    return next(line for line in said.splitlines() if line.lstrip().startswith("file://")).rsplit("/", 1)[-1]


def test_a_week_is_published_and_an_unchanged_one_is_looked_at_in_one_process(
    repository: Path, tmp_path: Path
) -> None:
    code, first, log = dataset(tmp_path)
    assert code == 0, first
    assert "0 failed" in first and IN_ONE_PROCESS not in log

    code, again, log = dataset(tmp_path)
    assert code == 0, again
    assert "(nothing new)" in again and IN_ONE_PROCESS in log
    assert published(again) == published(first)

    commit(repository, Новый=method("НовыйМетод", 7))
    code, changed, log = dataset(tmp_path)
    assert code == 0, changed
    assert "(nothing new)" not in changed and IN_ONE_PROCESS not in log
    assert published(changed) != published(first)


def test_settings_that_cannot_be_read_are_told_in_one_line(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text("github: [a list]\n")
    code, said, _ = dataset(tmp_path)
    assert code == 1
    assert "dataset.yaml" in said and "Traceback" not in said


def test_a_week_that_is_not_over_is_refused(repository: Path, tmp_path: Path) -> None:
    code, said, _ = dataset(tmp_path, "--week", "2999-01-06")
    assert code == 1
    assert "2999-01-06" in said and "Traceback" not in said
