"""`feast` as a user types it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ai_stack_assets.cli.main import main
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training.features import store
from ai_stack_assets.domain.training.features.sources import SplitRecords
from ai_stack_assets_tests.domain.training.makers import a_record, a_split


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AI_STACK_ASSETS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "data" / "dagster"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "data"


def test_the_features_of_the_dataset_become_a_repository(data: Path, tmp_path: Path, capfd):
    source = SplitRecords(a_split(tmp_path, {"train": [a_record("Раз"), a_record("Два")]}))
    store.update(Lake(data / "lake" / "training" / "features"), source)

    assert main(["feast", str(tmp_path / "repository")]) == 0

    assert "2 rows of dataset" in capfd.readouterr().out
    assert (tmp_path / "repository" / "features.py").exists()


def test_a_named_feast_applies_it(data: Path, tmp_path: Path, capfd):
    source = SplitRecords(a_split(tmp_path, {"train": [a_record("Раз")]}))
    store.update(Lake(data / "lake" / "training" / "features"), source)
    command = tmp_path / "feast.sh"
    command.write_text('#!/bin/sh\necho "$1 in $(basename "$PWD")"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)

    assert main(["feast", str(tmp_path / "repository"), "--command", str(command)]) == 0

    assert "apply in repository" in capfd.readouterr().out


def test_without_features_it_says_what_makes_them(data: Path, tmp_path: Path, capfd):
    assert main(["feast", str(tmp_path / "repository"), "--configuration", "trade"]) == 1

    assert (
        "no features of 'trade'; features: none yet: python -m ai_stack_assets train"
        in capfd.readouterr().out
    )
