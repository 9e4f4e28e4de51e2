"""Holding a configuration at a version: what becomes current, and what the line in configurations.yaml leaves alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec import extraction
from ai_stack_assets.domain.onec.configurations import ConfigurationEntry, load
from ai_stack_assets.domain.onec.pins import extract_entry, kept_version, set_pin
from ai_stack_assets_tests.domain.onec.designer_xml import write
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources


class Place:
    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder / "repository")
        self.lake, self.cache = Lake(folder / "lake"), folder / "cache"
        self.entry = ConfigurationEntry("demo", str(self.repository.folder))

    def run(self, pin: str | None = None):
        return extract_entry(replace(self.entry, pin=pin), self.lake, self.cache, lambda _: None)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def methods(place: Place) -> list[str]:
    return place.lake.require("demo").table("methods", ["name"])["name"].to_pylist()


def test_a_version_that_the_lake_keeps_becomes_current_again(place):
    place.repository.commit("2020-01-01", sources("А"))
    first = place.run().version
    place.repository.commit("2020-01-02", sources("А Б"))
    second = place.run().version
    report = place.run(pin=first.id)
    assert place.lake.require("demo") == report.version == first
    assert (report.pin, report.previous) == (first.id, second)
    assert (report.tables["methods"].added, report.tables["methods"].removed) == (0, 1)


def test_a_commit_is_read_anew_and_the_source_does_not_move_it(place):
    old = place.repository.commit("2020-01-01", sources("А"))
    place.repository.commit("2020-01-02", sources("А Б"))
    place.run()
    report = place.run(pin=old)
    assert methods(place) == ["А"]
    assert (report.pin, report.source["commit"]) == (old, old)
    place.repository.commit("2020-01-03", sources("А Б В"))
    assert place.run(pin=old).is_unchanged
    place.run()
    assert methods(place) == ["А", "Б", "В"]


def test_a_pin_that_is_already_current_changes_nothing(place):
    place.repository.commit("2020-01-01", sources("А"))
    version = place.run().version
    report = place.run(pin=version.id)
    assert report.is_unchanged
    assert all((t.added, t.changed, t.removed) == (0, 0, 0) for t in report.tables.values())


def test_a_kept_version_is_not_switched_to_while_an_extraction_runs(place, monkeypatch):
    place.repository.commit("2020-01-01", sources("А"))
    first = place.run().version
    monkeypatch.setattr(extraction, "LOCK_SECONDS", 0.1)
    with (
        extraction.only_one(place.lake, "demo"),
        pytest.raises(TransientError, match="another extraction of 'demo'"),
    ):
        place.run(pin=first.id)
    assert place.run(pin=first.id).version == first


def test_only_eight_characters_and_more_stand_for_a_version(place):
    place.repository.commit("2020-01-01", sources("А"))
    first = place.run().version
    assert kept_version(place.lake, "demo", first.id) == first
    assert kept_version(place.lake, "demo", first.id[:8]) == first
    assert kept_version(place.lake, "demo", first.id[:7]) is None


def test_a_pin_that_nobody_knows_says_what_there_is(place, tmp_path):
    place.repository.commit("2020-01-01", sources("А"))
    place.run()
    with pytest.raises(PermanentError, match="no branch, tag or commit"):
        place.run(pin="release-9")
    place.entry = ConfigurationEntry("demo", str(write(tmp_path / "plain", sources())))
    with pytest.raises(PermanentError, match="is no git repository that could have it"):
        place.run(pin="release-9")


FILE = """# head
configurations:
  - name: first   # why
    source: one
    # of the next
  - name: second
    source: two
    owner: team:x
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "configurations.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def pins(file: Path) -> list[str | None]:
    return [entry.pin for entry in load(file)]


@pytest.mark.parametrize(("name", "expected"), [("first", ["1.0", None]), ("second", [None, "1.0"])])
def test_a_pin_is_one_line_and_taking_it_away_restores_the_file(file, name, expected):
    set_pin(file, name, "1.0")
    assert pins(file) == expected
    assert [line for line in file.read_text("utf-8").splitlines() if "pin" not in line] == FILE.splitlines()
    set_pin(file, name, "2.0")
    assert sorted(filter(None, pins(file))) == ["2.0"]
    set_pin(file, name, None)
    assert file.read_text("utf-8") == FILE


def test_a_pin_that_is_wrong_or_has_no_entry_leaves_the_file(file):
    for name, pin in (("first", "no such pin"), ("third", "1.0")):
        with pytest.raises(PermanentError):
            set_pin(file, name, pin)
    assert file.read_text("utf-8") == FILE
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_entry_in_braces_is_left_to_its_author(file):
    file.write_text("configurations:\n  - {name: first, source: one}\n")
    with pytest.raises(PermanentError, match="by hand"):
        set_pin(file, "first", "1.0")
