"""Examples from the history of a repository made here: yearly states, what they hold, how time divides them, what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.history.backfill import History
from ai_stack_assets.domain.training import prepared, proofs
from ai_stack_assets.domain.training.change_risk import examples, task
from ai_stack_assets.domain.training.change_risk.examples import Past
from ai_stack_assets.domain.training.change_risk.past import YEAR
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources

LAST = date(2026, 3, 1)
WEEK = "2026-03-01"
YEARS = [LAST - n * YEAR for n in range(6, -1, -1)]


def grown(folder: Path, days: list[date]) -> Past:
    """A repository in which each state changes one method, `Раз`, and adds another."""
    repository, lake, cache = Repository(folder / "repository"), Lake(folder / "lake"), folder / "cache"
    for n, day in enumerate(days):
        names = " ".join(f"Метод{i}" for i in range(n))
        repository.commit(day.isoformat(), sources(f"Раз={n} Два {names}"))
    source = f"{repository.folder}@main"
    with History(source, lake, cache, ZoneInfo("UTC"), workers=1) as history:
        assert [day.error for day in history.days(days)] == [None] * len(days)
    return Past("trade", source, lake, cache, UTC)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return grown(tmp_path_factory.mktemp("past"), YEARS)


def names(rows) -> list[str]:
    return sorted(row.rpartition(".")[2] for row in rows["method_id"].to_pylist())


def test_a_state_holds_the_methods_of_its_day_with_their_features(past):
    rows = examples.of_days(past, [YEARS[2]])
    assert names(rows) == ["Два", "Метод0", "Метод1", "Раз"]
    assert set(definitions.schema().names) <= set(rows.schema.names)
    changed = {
        row["method_name"]: (row["code"].split("\n")[1], row["is_changed"]) for row in rows.to_pylist()
    }
    assert changed["Раз"] == ("\tА = 2;", True)
    assert changed["Два"] == ("\tА = 0;", False)


def test_a_state_read_after_others_is_as_when_read_alone(past, tmp_path):
    together = examples.of_days(past, YEARS[1:4])
    alone = Past(past.name, past.source, past.history, past.cache, UTC)
    last = examples.of_days(alone, [YEARS[3]])
    assert together.slice(together.num_rows - last.num_rows) == last


def test_the_last_year_that_is_over_is_the_test_and_the_one_before_validates(past, tmp_path):
    made = examples.build(Lake(tmp_path / "lake"), WEEK, [past])
    sets = prepared.read(made.version)
    days = {
        name: set(getattr(sets, name)["snapshot"].to_pylist()) for name in ("train", "validation", "test")
    }
    assert days["test"] == {YEARS[-2].isoformat()}
    assert days["validation"] == {YEARS[-3].isoformat()}
    assert max(days["train"]) < min(days["validation"])
    assert made.facts["rows"]["test"] == sets.test.num_rows
    for split in (sets.train, sets.validation, sets.test):
        assert task.prepare(split) is split


def test_configurations_whose_histories_end_on_other_days_are_divided_at_the_same_ones(past, tmp_path):
    older = replace(grown(tmp_path, [day - timedelta(400) for day in YEARS]), name="retail")
    sets = prepared.read(examples.build(Lake(tmp_path / "lake"), WEEK, [older, past]).version)
    assert proofs.later_states(sets).count == 0
    assert set(sets.test["configuration"].to_pylist()) == {"trade"}
    assert set(sets.train["configuration"].to_pylist()) == {"trade", "retail"}


def test_labels_of_a_year_are_known_before_the_next_state_is_asked_about(past):
    days = examples.days_of(past)
    assert all(day + YEAR <= later for day, later in pairwise(days))
    assert days[-1] + YEAR <= past.log.states[-1][0]


def test_the_same_past_is_not_read_twice(past, tmp_path):
    lake = Lake(tmp_path / "lake")
    assert [examples.build(lake, WEEK, [past]).is_new for _ in range(2)] == [True, False]


def test_the_queue_is_the_newest_state_with_its_past_and_no_label(past):
    rows = examples.queue(past)
    assert names(rows) == sorted(["Два", "Раз", *(f"Метод{i}" for i in range(6))])
    assert "is_changed" not in rows.schema.names
    assert (
        dict(zip(rows["method_name"].to_pylist(), rows["changes_36m"].to_pylist(), strict=True))["Раз"] == 3
    )


def test_days_that_the_lake_lacks_are_counted_and_the_command_is_named(tmp_path):
    past = grown(tmp_path, YEARS[-4:])
    past.history.remove(YEARS[-2].isoformat())
    with pytest.raises(
        PermanentError, match=r"the history of 1 days is missing.*history trade --from 2025-03 --to 2025-03"
    ):
        _ = past.events


def test_a_short_past_is_refused_by_name(tmp_path):
    past = grown(tmp_path / "past", [LAST - timedelta(30), LAST])
    with pytest.raises(PermanentError, match=r"no configuration has 4 years of history \(trade\)"):
        examples.build(Lake(tmp_path / "lake"), WEEK, [past])


def test_a_day_before_the_first_commit_is_refused(past):
    with pytest.raises(PermanentError, match="nothing is known of 2001-01-01"):
        examples.queue(past, date(2001, 1, 1))
