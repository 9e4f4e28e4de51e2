"""Fits of several weeks: what is judged again and what is not, when other parameters are searched for, what damage does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training import fitting, judging, searching
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.evaluation.gates import Limits
from ai_stack_assets.domain.training.settings import SearchSettings, TrainingSettings
from ai_stack_assets_tests.tiny_tasks import regressor as task

pytestmark = pytest.mark.usefixtures("quick")
LIMITS = Limits(target=0.3, resamples=200)
SETTINGS = TrainingSettings(search=SearchSettings(minutes=1, trials=2))
FIRST, SECOND = "2026-11-08", "2026-11-15"


def sets(_: Version | None = None) -> Sets:
    rows = pa.table({"lines": pa.array([3 + n % 5 for n in range(200)], pa.int64())})
    return Sets(rows, rows, rows)


class Bench:
    """What `pipeline.Training` does with a task, on examples made here."""

    def __init__(self, workshop: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry, self.folder = workshop.registry, folder
        # examples here have rows only
        monkeypatch.setattr("ai_stack_assets.domain.training.prepared.read", sets)

    def lake(self, name: str) -> Lake:
        return Lake(self.folder / "lake" / name)

    def examples(self, week: str = FIRST) -> Version:
        return stage.build(self.lake("examples"), week, f"of-{week}", lambda _: {})[0]

    def fit(self, week: str = FIRST, *, force: bool = False, say: Callable = print, **given: Any) -> Made:
        found, origin = searching.found(self.lake("search"), task, week)
        wanted = fitting.Wanted(fitting.parameters(task, found, given), seed=7, origin=origin)
        return fitting.fit(
            self.lake("model"),
            week,
            task,
            self.examples(week),
            sets,
            wanted,
            work=self.folder,
            threads=1,
            force=force,
            say=say,
        )

    def search(self, week: str = FIRST, settings: TrainingSettings = SETTINGS) -> None:
        searching.search(
            self.lake("search"),
            week,
            task,
            self.examples(week),
            settings,
            folder=self.folder,
            threads=1,
        )

    def is_searched(self, week: str = FIRST, settings: TrainingSettings = SETTINGS) -> bool:
        return searching.is_done(self.lake("search"), week, task, self.examples(week), settings)

    def judge(self, model: Version, **asked: Any) -> Made:
        week = model.configuration
        return judging.judge(
            self.lake("evaluation"), week, task, model, sets, self.registry, LIMITS, seed=7, **asked
        )

    def apply(self, made: Made) -> str:
        return self.registry.apply(task, made.facts["run_id"], judging.decision_of(made.facts)).action

    @property
    def in_use(self) -> str:
        return self.registry.champion(task).version


@pytest.fixture
def bench(workshop, tmp_path, monkeypatch) -> Bench:
    return Bench(workshop, tmp_path, monkeypatch)


def test_a_fit_that_another_champion_overtook_is_judged_again_once_against_that_one(bench):
    assert bench.apply(bench.judge(bench.fit(offset=2.5).version)) == "promoted"
    best = bench.fit().version
    late = bench.judge(best)
    other = bench.registry.register(
        task, judging.log(task, bench.fit(offset=1.5).version, sets(), bench.registry)
    )
    bench.registry.promote(task, other.version)
    assert bench.apply(late) == "kept" and bench.in_use == other.version

    again = bench.judge(best)

    assert again.is_new and again.facts["decision"]["against"] == other.version
    assert bench.apply(again) == "promoted" and bench.in_use == "3"
    assert not bench.judge(best).is_new


def test_a_fit_that_was_overtaken_and_promoted_and_rolled_back_stays_so(bench):
    bench.apply(bench.judge(bench.fit(offset=2.5).version))
    best = bench.fit().version
    late = bench.judge(best)
    other = bench.registry.register(
        task, judging.log(task, bench.fit(offset=1.5).version, sets(), bench.registry)
    )
    bench.registry.promote(task, other.version)
    bench.apply(late)
    bench.apply(bench.judge(best))
    bench.registry.rollback(task)
    assert bench.in_use == other.version

    again = bench.judge(best)

    assert not again.is_new
    assert bench.apply(again) == "promoted" and bench.in_use == other.version


def test_the_champion_is_not_made_its_own_challenger_when_it_is_judged_under_other_limits(bench):
    model = bench.fit().version
    bench.apply(bench.judge(model))
    made = judging.judge(
        bench.lake("evaluation"),
        FIRST,
        task,
        model,
        sets,
        bench.registry,
        replace(LIMITS, target=0.2),
        seed=7,
    )
    assert made.is_new and bench.apply(made) == "kept"
    assert bench.registry.version(task, "challenger") is None
    bench.apply(made)
    assert [row.action for row in bench.registry.decisions_of(task)] == ["promoted", "kept"]


def test_each_week_has_a_search_of_its_own_before_a_person_is_asked(bench):
    outcomes = []
    for week in (FIRST, SECOND):
        outcomes.append((week, outcome(bench, week)))
        bench.search(week)
        outcomes.append((week, outcome(bench, week)))
    assert outcomes == [
        (FIRST, "retrain"),
        (FIRST, "investigate"),
        (SECOND, "retrain"),
        (SECOND, "investigate"),
    ]


def outcome(bench: Bench, week: str) -> str:
    """Of a fit that no parameters make good enough."""
    model = bench.fit(week, epochs=1).version
    made = judging.judge(
        bench.lake("evaluation"),
        week,
        task,
        model,
        sets,
        bench.registry,
        replace(LIMITS, target=3.0),
        seed=7,
        is_searched=bench.is_searched(week),
    )
    return made.facts["decision"]["outcome"]


def test_a_search_that_finds_what_was_there_before_is_not_asked_for_again(bench):
    before = bench.fit().version
    bench.search(settings=(once := replace(SETTINGS, search=SearchSettings(minutes=1, trials=1))))
    assert bench.fit().version.id == before.id
    assert bench.is_searched(settings=once) and not bench.is_searched()
    assert bench.judge(before, is_searched=True).is_new and not bench.judge(before, is_searched=True).is_new


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_damaged_model_is_named_with_what_mends_it_and_fitted_again_when_asked_to(bench, damage):
    model = bench.fit().version
    (file,) = model.parts(fitting.MODEL)
    good = file.read_text()
    file.unlink() if damage == "gone" else file.write_text(good[:-1] if damage == "cut" else "7.0")

    named = rf"{file.name} is damaged.*train --week {FIRST} --task regressor --force"
    with pytest.raises(PermanentError, match=named):
        bench.fit()
    with pytest.raises(PermanentError, match=named):
        bench.judge(model)
    said: list[str] = []
    mended = bench.fit(force=True, say=said.append)

    assert mended.is_new and mended.version.id == model.id and file.read_text() == good
    assert "fitted again" in said[0]
    assert not bench.fit(force=True).is_new
    assert bench.apply(bench.judge(model)) == "promoted"
