"""`history`, `pin`, `unpin` and `versions` as a user types them, apart from what their runs do (tested elsewhere)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.cli import history
from ai_stack_assets.cli.main import main
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources
from ai_stack_assets_tests.platform import PROJECT


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Configuration `trade` with a tag on the first of two commits, and a lake that keeps both."""
    repository = Repository(tmp_path / "trade")
    data = tmp_path / "data"
    for day, methods in ((10, "А"), (20, "А Б")):
        repository.commit(f"2020-01-{day}", sources(methods))
        repository.git("tag", f"day-{day}")
        extract("trade", f"{repository.folder}@main", Lake(data / "lake" / "onec"), data / "cache", workers=1)
    listed = tmp_path / "configurations.yaml"
    listed.write_text("configurations:\n  - name: trade\n    source: trade@main\n")
    for name, value in (("DATA", data), ("CONFIGURATIONS", listed)):
        monkeypatch.setenv(f"AI_STACK_ASSETS_{name}", str(value))
    monkeypatch.setenv("DAGSTER_HOME", str(data / "dagster"))
    return repository


def pinned(repository: Repository) -> str:
    return (repository.folder.parent / "configurations.yaml").read_text()


def ids(repository: Repository) -> list[str]:
    lake = Lake(repository.folder.parent / "data" / "lake" / "onec")
    return [version.id for version in lake.versions("trade")]


def test_a_ref_is_written_down_as_its_commit(repository, capfd):
    assert main(["pin", "trade", "--ref", "day-10", "--later"]) == 0
    assert f"pin: '{repository.git('rev-parse', 'day-10')}'" in pinned(repository)
    assert main(["unpin", "trade", "--later"]) == 0
    assert "pin" not in pinned(repository)


def test_a_version_may_be_given_by_its_beginning(repository, capfd):
    old = ids(repository)[-1]
    assert main(["pin", "trade", "--version", old[:8], "--later"]) == 0
    assert f"pin: '{old}'" in pinned(repository)


@pytest.mark.parametrize("wrong", [["--version", "nope"], ["--ref", "nope"]])
def test_what_is_not_there_is_not_pinned(repository, capfd, wrong):
    assert main(["pin", "trade", *wrong, "--later"]) == 1
    assert "nope" in capfd.readouterr().out
    assert "pin" not in pinned(repository)


def test_versions_are_listed_with_what_is_current_and_pinned(repository, capfd):
    new, old = ids(repository)
    main(["pin", "trade", "--version", old, "--later"])
    capfd.readouterr()
    assert main(["versions", "trade"]) == 0
    lines = {line.split()[0]: line for line in capfd.readouterr().out.splitlines() if line}
    assert lines[new].endswith("current") and "main" in lines[new]
    assert lines[old].endswith("pinned") and "1 methods" in lines[old]


def options(**dates: str | None):
    from argparse import Namespace

    return Namespace(**{"configuration": "trade", "first": None, "last": None, **dates})


@pytest.mark.parametrize(
    ("dates", "months"),
    [
        ({}, ("2020-01", "2020-01")),
        ({"first": "2019-12"}, ("2019-12", "2020-01")),
        ({"first": "2020", "last": "2020"}, ("2020-01", "2020-12")),
        ({"first": "2020-02-29", "last": "2020-03-01"}, ("2020-02", "2020-03")),
        ({"first": "2020-05"}, ("2020-05", "2020-05")),
    ],
)
@pytest.mark.usefixtures("repository")
def test_dates_may_be_years_months_or_days(dates, months):
    assert history._range(options(**dates)) == months


@pytest.mark.parametrize("wrong", ["2020-13", "yesterday", "2020-02-30"])
@pytest.mark.usefixtures("repository")
def test_what_is_no_date_says_what_is_one(wrong):
    with pytest.raises(PermanentError, match="is no date: give 2020"):
        history._range(options(first=wrong))


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(PermanentError, match="--from 2020-02 is after --to 2020-01"):
        history._range(options(first="2020-02", last="2020-01"))


def test_a_data_folder_that_cannot_be_made_is_told_in_one_line(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "dagster"))
    assert main(["versions", "trade"]) == 1
    assert "AI_STACK_ASSETS_DATA" in capfd.readouterr().err


@pytest.mark.slow
def test_history_prints_a_line_per_version_and_is_seen_in_the_web_interface(repository):
    """In a process of its own: this one may have loaded its definitions for other settings."""
    command = [sys.executable, "-m", "ai_stack_assets", "history", "trade"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if " objects, " in line]
    assert [line.split()[4] for line in lines] == ["2020-01-10", "2020-01-20"]
    assert "methods +1/~0/-0" in lines[1] and lines[1].endswith(" s")
    assert "trade: 2 states, 2020-01-10 to 2020-01-20" in done.stdout
    with dg.DagsterInstance.get() as instance:
        assert instance.get_materialized_partitions(dg.AssetKey(["lake", "onec", "history"])) == {
            "trade|2020-01"
        }
