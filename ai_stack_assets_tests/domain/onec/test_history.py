"""The past of a configuration, on repositories made here: which state counts for a day, what is kept of it, what it costs."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec import extraction
from ai_stack_assets.domain.onec.history import backfill, reading, summary
from ai_stack_assets.domain.onec.history.backfill import Day, History
from ai_stack_assets.domain.onec.history.tables import HISTORY_TABLES
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources


class Place:
    """A repository with the lake and the cache of its history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = Repository(folder / "repository")
        self.lake, self.cache = Lake(folder / "lake"), folder / "cache"

    def history(self, source: str | None = None, zone: str = "UTC", path: str | None = None) -> History:
        source = source or f"{self.repository.folder}@main"
        return History(source, self.lake, self.cache, ZoneInfo(zone), path=path, workers=1)

    def days(self, first: str, last: str | None = None, **options) -> list[Day]:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
        days = [start + timedelta(n) for n in range((end - start).days + 1)]
        return list(self.history(**options).days(days))

    def day(self, day: str, **options) -> Day:
        [found] = self.days(day, **options)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def changed(place: Place, day: str) -> set[tuple[str, str, str]]:
    rows = place.lake.require(day).table("history_changes").to_pylist()
    return {(row["what"], row["change"], row["id"]) for row in rows}


METHOD = "CommonModule.Общий.Module."


def test_a_day_holds_what_the_configuration_consisted_of(place):
    place.repository.commit("2020-01-01", sources("Один Два", "Код Имя"))
    day = place.day("2020-01-01")
    assert (day.status, day.row["previous_commit"], day.is_new) == ("read", None, True)
    assert (day.row["objects"], day.row["fields"], day.row["modules"]) == (3, 2, 1)
    assert (day.row["methods"], day.row["exports"], day.row["statements"]) == (2, 2, 2)
    assert day.kinds == {"Catalog": 1, "CommonModule": 1, "Configuration": 1}
    version = place.lake.require("2020-01-01")
    assert {name: version.rows(name) for name in HISTORY_TABLES} == {
        "history": 1,
        "history_kinds": 3,
        "history_changes": 0,
    }
    assert version.table("history").to_pylist() == [day.row]


def test_changes_are_told_with_their_ids(place):
    place.repository.commit("2020-01-01", sources("Остался Менялся=1 Исчез", "Код"))
    place.repository.commit("2020-01-05", sources("Остался Менялся=2 Новый", "Код Цена", "Склады"))
    row = place.days("2020-01-01", "2020-01-05")[-1].row
    assert changed(place, "2020-01-05") == {
        ("object", "added", "Catalog.Склады"),
        ("object", "changed", "Catalog.Товары"),
        ("object", "changed", "Configuration.Проба"),
        ("method", "added", f"{METHOD}Новый"),
        ("method", "changed", f"{METHOD}Менялся"),
        ("method", "removed", f"{METHOD}Исчез"),
    }
    assert (row["objects_added"], row["objects_changed"], row["objects_removed"]) == (1, 2, 0)
    assert (row["methods_added"], row["methods_changed"], row["methods_removed"]) == (1, 1, 1)


def test_a_method_that_only_moved_down_has_not_changed(place):
    place.repository.commit("2020-01-01", sources("Б"))
    place.repository.commit("2020-01-02", sources("А Б"))
    place.days("2020-01-01", "2020-01-02")
    assert changed(place, "2020-01-02") == {("method", "added", f"{METHOD}А")}


def test_numbers_and_changes_equal_those_of_two_full_extractions(place, tmp_path):
    states = {
        "2020-01-01": place.repository.commit("2020-01-01", sources("А=1 Б=2 В=3", "Код", "Склады")),
        "2020-01-02": place.repository.commit("2020-01-02", sources("А=1 Б=4 Г=5", "Код Имя", "Цены")),
    }
    place.days("2020-01-01", "2020-01-02")
    full = {}
    for day, commit in states.items():
        source = f"{place.repository.folder}@{commit}"
        full[day] = extraction.extract(
            day, source, Lake(tmp_path / "full"), tmp_path / "cache2", workers=1
        ).version
    for day, version in full.items():
        row = place.lake.require(day).table("history").to_pylist()[0]
        assert {
            name: row[name]
            for name in ("objects", "fields", "modules", "methods", "calls", "queries", "rejected")
        } == {
            name: version.rows(name)
            for name in ("objects", "fields", "modules", "methods", "calls", "queries", "rejected")
        }
        methods = version.table("methods").to_pylist()
        for name in ("cyclomatic", "cognitive", "statements"):
            assert row[name] == sum(method[name] for method in methods)
        assert row["lines"] == sum(version.table("modules", ["lines"])["lines"].to_pylist())
        assert row["duplicate_methods"] == len(methods) - len({method["body_hash"] for method in methods})
        kinds = Counter(version.table("objects", ["kind"])["kind"].to_pylist())
        kept = place.lake.require(day).table("history_kinds").to_pylist()
        assert {kind["kind"]: kind["objects"] for kind in kept} == kinds
    before, now = (
        {
            **{("method", m["id"]): m["body_hash"] for m in version.table("methods").to_pylist()},
            **{("object", o["id"]): o["content_hash"] for o in version.table("objects").to_pylist()},
        }
        for version in full.values()
    )
    expected = {(what, "removed", row_id) for what, row_id in before.keys() - now.keys()}
    expected |= {(what, "added", row_id) for what, row_id in now.keys() - before.keys()}
    expected |= {
        (*key[:1], "changed", key[1]) for key in before.keys() & now.keys() if before[key] != now[key]
    }
    # a field and a list of children are part of what their object says
    expected |= {("object", "changed", "Catalog.Товары"), ("object", "changed", "Configuration.Проба")}
    assert changed(place, "2020-01-02") == expected


def test_a_day_without_a_commit_keeps_no_rows(place):
    commit = place.repository.commit("2020-01-01", sources())
    first, quiet = place.days("2020-01-01", "2020-01-02")
    assert (quiet.status, quiet.commit.id, quiet.since) == ("unchanged", commit, first.day)
    assert place.lake.configurations() == ["2020-01-01"]


def test_a_day_before_the_first_commit_is_empty_and_no_failure(place):
    place.repository.commit("2020-01-02", sources())
    before, first = place.days("2020-01-01", "2020-01-02")
    assert (before.status, before.commit) == ("no_commit", None)
    assert first.status == "read"


def test_of_two_commits_in_one_day_the_last_counts(place):
    place.repository.commit("2020-01-01T08:00:00Z", sources("Утро"))
    last = place.repository.commit("2020-01-01T20:00:00Z", sources("Вечер"))
    day = place.day("2020-01-01")
    assert (day.commit.id, day.row["methods"]) == (last, 1)


def test_a_day_ends_at_midnight_of_the_time_zone(place):
    commit = place.repository.commit("2020-01-01T22:30:00Z", sources())
    assert [d.status for d in place.days("2020-01-01", "2020-01-02", zone="UTC")] == ["read", "unchanged"]
    in_moscow = place.days("2020-01-01", "2020-01-02", zone="Europe/Moscow")
    assert [d.status for d in in_moscow] == ["no_commit", "read"]
    assert in_moscow[1].commit.id == commit
    assert place.lake.configurations() == ["2020-01-02"]


def test_a_commit_whose_clock_was_ahead_does_not_hide_those_after_it(place):
    place.repository.commit("2020-01-01", sources("А"))
    place.repository.commit("2021-06-01", sources("А Б"))
    last = place.repository.commit("2020-01-03", sources("А Б В"))
    assert place.day("2020-01-03").commit.id == last
    assert place.day("2021-06-01").status == "unchanged"


def test_of_a_merge_the_first_parent_is_the_line_that_counts(place):
    git = place.repository.git
    place.repository.commit("2020-01-01", sources("А"))
    git("checkout", "-q", "-b", "side")
    place.repository.commit("2020-01-02", sources("А Черновик"))
    place.repository.commit("2020-01-03", sources("А Готово"))
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "merged", "side", at="2020-01-04T12:00:00Z")
    days = place.days("2020-01-01", "2020-01-04")
    assert [day.status for day in days] == ["read", "unchanged", "unchanged", "read"]
    assert changed(place, "2020-01-04") == {("method", "added", f"{METHOD}Готово")}


def test_a_commit_without_a_configuration_is_absent_and_no_change_of_it(place):
    place.repository.commit("2020-01-01", {"README.md": "soon"})
    first = place.repository.commit("2020-01-02", sources("А"))
    place.repository.commit("2020-01-03", {"README.md": "broken"})
    place.repository.commit("2020-01-04", sources("А Б"))
    days = place.days("2020-01-01", "2020-01-04")
    assert [day.status for day in days] == ["absent", "read", "absent", "read"]
    assert "no 1C source" in days[2].row["reason"] and days[2].row["objects"] == 0
    assert days[3].row["previous_commit"] == first
    assert changed(place, "2020-01-04") == {("method", "added", f"{METHOD}Б")}


def test_a_configuration_that_is_broken_for_a_day_is_read_as_far_as_it_goes(place):
    place.repository.commit("2020-01-01", {**sources(), "Catalogs/Товары.xml": "<MetaDataObject><broken"})
    day = place.day("2020-01-01")
    assert (day.status, day.row["rejected"] > 0, day.row["methods"]) == ("read", True, 2)


def test_a_configuration_that_moved_to_another_folder_stays_the_same(place):
    place.repository.commit("2020-01-01", {f"src/{path}": text for path, text in sources("А").items()})
    place.repository.commit("2020-01-02", {f"src/cf/{path}": text for path, text in sources("А Б").items()})
    place.days("2020-01-01", "2020-01-02")
    assert changed(place, "2020-01-02") == {("method", "added", f"{METHOD}Б")}


def test_several_configurations_need_a_path_on_the_days_that_have_them(place):
    place.repository.commit("2020-01-01", sources())
    both = {f"{folder}/{path}": text for folder in ("one", "two") for path, text in sources().items()}
    place.repository.commit("2020-01-02", both)
    assert "set `path`" in place.day("2020-01-02").row["reason"]
    assert place.day("2020-01-02", path="two").status == "read"


def test_a_rewritten_past_is_noticed_and_its_days_are_made_again(place):
    place.repository.commit("2020-01-01", sources("А"))
    place.repository.commit("2020-01-02", sources("А Б"))
    place.repository.commit("2020-01-03", sources("А Б В"))
    place.days("2020-01-01", "2020-01-03")
    place.repository.git("reset", "-q", "--hard", "HEAD~2")
    place.repository.commit("2020-01-03", sources("А Иначе"))
    history = place.history(source=f"file://{place.repository.folder}")
    assert history.outdated == ["2020-01-02", "2020-01-03"]
    days = place.days("2020-01-01", "2020-01-03", source=f"file://{place.repository.folder}")
    assert [(day.status, day.is_new) for day in days] == [
        ("read", False),
        ("unchanged", False),
        ("read", True),
    ]
    assert place.lake.configurations() == ["2020-01-01", "2020-01-03"]
    assert changed(place, "2020-01-03") == {("method", "added", f"{METHOD}Иначе")}
    assert place.history().outdated == []


@pytest.mark.parametrize("address", ["{}@main", "file://{}"])
def test_a_shallow_clone_says_which_days_it_cannot_know(place, tmp_path, address):
    for day in (1, 2, 3):
        place.repository.commit(f"2020-01-0{day}", sources(" ".join("АБВ"[:day])))
    clone = tmp_path / "clone"
    place.repository.git("clone", "-q", "--depth=2", f"file://{place.repository.folder}", str(clone))
    days = place.days("2020-01-01", "2020-01-03", source=address.format(clone))
    assert [day.status for day in days] == ["failed", "read", "read"]
    assert "git fetch --unshallow" in str(days[0].error)
    assert days[1].row["previous_commit"] is None
    again = place.days("2020-01-01", "2020-01-03")
    assert [day.status for day in again] == ["read", "read", "read"]
    assert again[1].row["methods_added"] == 1


def test_a_mirror_that_extraction_made_shallow_gets_the_whole_past(place, tmp_path):
    for day in (1, 2):
        place.repository.commit(f"2020-01-0{day}", sources(" ".join("АБ"[:day])))
    source = f"file://{place.repository.folder}"
    extraction.extract("demo", source, Lake(tmp_path / "full"), place.cache, workers=1)
    assert [day.status for day in place.days("2020-01-01", "2020-01-02", source=source)] == ["read", "read"]
    place.repository.commit("2020-01-03", sources("А Б В"))
    assert place.day("2020-01-03", source=source).row["methods_added"] == 1


def test_a_source_that_is_no_repository_says_what_it_takes(place, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(PermanentError, match="is no git repository"):
        place.history(source=str(tmp_path / "plain"))


def test_a_working_copy_is_its_repository(place):
    place.repository.commit("2020-01-01", sources())
    (place.repository.folder / "Configuration.xml").unlink()
    assert place.day("2020-01-01", source=str(place.repository.folder)).status == "read"


def test_content_is_parsed_once_ever(place):
    place.repository.commit("2020-01-01", sources("А", "Код"))
    place.repository.commit("2020-01-02", sources("А Б", "Код"))
    place.repository.commit("2020-01-03", sources("А", "Код"))
    assert [day.parsed for day in place.days("2020-01-01", "2020-01-03")] == [4, 1, 0]


def test_what_extraction_parsed_is_not_parsed_again(place, tmp_path):
    place.repository.commit("2020-01-01", sources())
    extraction.extract(
        "demo", f"{place.repository.folder}@main", Lake(tmp_path / "full"), place.cache, workers=1
    )
    assert place.day("2020-01-01").parsed == 0


def test_a_day_that_is_known_costs_no_reading(place, monkeypatch):
    place.repository.commit("2020-01-01", sources())
    place.repository.commit("2020-01-02", sources("А"))
    first = place.days("2020-01-01", "2020-01-02")
    monkeypatch.setattr(reading.StateReader, "state", None)
    again = place.days("2020-01-01", "2020-01-02")
    assert [day.row for day in again] == [day.row for day in first]
    assert not any(day.is_new for day in again)


def test_days_made_one_by_one_and_backwards_equal_those_of_one_run(place, tmp_path):
    for day, methods in enumerate(("А", "А Б", "Б В", "В"), 1):
        place.repository.commit(f"2020-01-0{day}", sources(methods, "Код", *"XYZ"[:day]))
    together = [day.row for day in place.days("2020-01-01", "2020-01-04")]
    place.lake, place.cache = Lake(tmp_path / "lake2"), tmp_path / "cache2"
    alone = [place.day(f"2020-01-0{day}").row for day in (4, 3, 2, 1)]
    assert alone[::-1] == together


def test_processes_and_a_single_one_find_the_same(place, tmp_path, monkeypatch):
    place.repository.commit("2020-01-01", sources("А", "Код", *"ABCDEF"))
    place.repository.commit("2020-01-02", sources("А Б", "Код", *"BCDEFG"))
    alone = [day.row for day in place.days("2020-01-01", "2020-01-02")]
    monkeypatch.setattr(reading, "FILES_PER_TASK", 2)
    history = History(
        str(place.repository.folder),
        Lake(tmp_path / "lake2"),
        tmp_path / "cache2",
        ZoneInfo("UTC"),
        workers=2,
    )
    assert [day.row for day in history.days([date(2020, 1, 1), date(2020, 1, 2)])] == alone


def test_a_day_that_fails_leaves_the_others_and_is_made_alone_later(place, monkeypatch):
    for day in (1, 2, 3):
        place.repository.commit(f"2020-01-0{day}", sources("АБВ"[:day]))
    real = backfill.stage.build

    def full_disk(lake, day, *rest):
        if day == "2020-01-02":
            raise OSError(28, "No space left on device")
        return real(lake, day, *rest)

    monkeypatch.setattr(backfill.stage, "build", full_disk)
    days = place.days("2020-01-01", "2020-01-03")
    assert [day.status for day in days] == ["read", "failed", "read"]
    monkeypatch.undo()
    assert place.day("2020-01-02").is_new
    assert place.lake.configurations() == ["2020-01-01", "2020-01-02", "2020-01-03"]


def test_content_that_the_repository_lacks_counts_as_not_there_and_is_looked_at_again(place, monkeypatch):
    place.repository.commit("2020-01-01", sources("А"))
    real = summary.read_blobs

    def without_code(folder, contents):
        return ((path, None if path.endswith(".bsl") else data) for path, data in real(folder, contents))

    monkeypatch.setattr(summary, "read_blobs", without_code)
    assert place.day("2020-01-01").row["methods"] == 0
    monkeypatch.undo()
    place.lake.remove("2020-01-01")
    assert place.day("2020-01-01").row["methods"] == 1
