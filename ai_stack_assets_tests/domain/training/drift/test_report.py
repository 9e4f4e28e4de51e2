"""The decision: quiet about the same code, loud about other code, with reasons; what a week leaves for the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import stage as lake_stage
from ai_stack_assets.domain.training import known
from ai_stack_assets.domain.training.drift import performance, pictures, report, stage, vectors
from ai_stack_assets.domain.training.drift.performance import Performance
from ai_stack_assets.domain.training.drift.settings import HIGH, MEDIUM, NONE, DriftSettings, Threshold
from ai_stack_assets.domain.training.registry.aliases import Registered
from ai_stack_assets_tests.domain.training.drift.methods import FOREIGN, WORDS, methods

SETTINGS = DriftSettings(vectors=400, fresh_rows=50)
FIRST, SECOND, THIRD = "2026-11-01", "2026-11-08", "2026-11-15"


def compare(reference: pa.Table, current: pa.Table, **options: Any) -> report.DriftReport:
    return report.compare(reference, current, SETTINGS, vectorise=vectors.lsa, **options)


def test_code_of_the_same_kind_has_no_drift_and_the_reason_says_what_came_closest() -> None:
    found = compare(methods(800, seed=1), methods(800, seed=2))
    assert found.level == NONE
    assert found.reason.startswith("nothing moved: ")
    assert found.fresh_rows == 800


def test_longer_methods_and_new_words_are_high_with_their_reasons() -> None:
    found = compare(methods(800, seed=1), methods(800, seed=2, longer=4, words=WORDS + FOREIGN))
    assert found.level == HIGH
    assert "new words" in found.reason and "discrepancy of vectors" in found.reason
    assert {f.name for f in found.features if f.level == HIGH} >= {"lines", "calls"}
    assert found.features[0].psi >= found.features[-1].psi


def test_too_few_rows_say_nothing() -> None:
    found = compare(methods(800, seed=1), methods(50, seed=2, longer=9))
    assert found.level == NONE
    assert found.reason == "50 rows of 200 that a comparison needs"


def test_the_loudest_signal_decides_and_loud_reasons_come_first() -> None:
    def signal(name: str, level: str) -> report.Signal:
        return report.Signal(name, 0.5, 0.1, 0.3, level)

    level, reasons = report.decide([signal("a", NONE), signal("b", MEDIUM), signal("c", HIGH)])
    assert level == HIGH
    assert [reason.split()[0] for reason in reasons] == ["c", "b"]


def test_the_bounds_of_a_level_belong_to_it() -> None:
    threshold = Threshold(0.1, 0.2)
    assert [threshold.level(v) for v in (0.09, 0.1, 0.19, 0.2)] == [NONE, MEDIUM, MEDIUM, HIGH]


def test_a_champion_that_lost_a_tenth_is_high_alone() -> None:
    lost = Performance("regressor", "r2", recorded=0.30, rows=500, value=0.25, low=0.22, high=0.28)
    found = compare(methods(800, seed=1), methods(800, seed=2), performance=[lost])
    assert found.level == HIGH
    assert "regressor: lost r2" in found.reason


def test_a_loss_that_chance_explains_is_none() -> None:
    assert Performance("t", "m", recorded=0.3, rows=100, value=0.25, low=0.1, high=0.31).loss == 0
    assert Performance("t", "m", recorded=0.3, rows=0, note="no labels").loss == 0


def test_a_table_without_a_feature_is_compared_in_the_others() -> None:
    found = compare(methods(400, seed=1).drop_columns(["calls"]), methods(400, seed=2))
    assert "calls" not in {f.name for f in found.features}


def test_the_report_shows_numbers_charts_and_words() -> None:
    lost = Performance("regressor", "r2", recorded=0.30, rows=3, note="3 fresh examples")
    found = compare(
        methods(400, seed=1),
        methods(400, seed=2, longer=4, words=FOREIGN),
        performance=[lost],
        names=("a|b", "c"),
    )
    text = pictures.markdown(found)
    assert set(pictures.pictures(found)) >= {
        "signals",
        "features",
        "embedding space",
        "vocabulary",
        "performance",
    }
    assert "data:image/svg+xml;base64," in text
    assert "websocket" in text and "3 fresh examples" in text
    assert "# Drift of c against a|b: high" in text


class Guess:
    """A task whose metric is the share of methods that are exported."""

    METRIC = "share"

    def __init__(self, name: str = "guess") -> None:
        self.NAME = name

    def evaluate(self, model: Any, examples: pa.Table, *, seed: int) -> Any:
        right = examples["is_export"].to_numpy(zero_copy_only=False).astype(float)
        value = float(right.mean())
        return SimpleNamespace(metrics={"share": value}, score=lambda at: right[at].mean(), rows=len(right))


@pytest.fixture
def in_service(lake: Lake, tmp_path: Path) -> Any:
    """A champion that was trained for the drift of the first week, on what `seen` has, or all of it."""

    def champion(
        recorded: float = 0.4, examples: Any = lambda rows: rows, seen: pa.Table | None = None, **given: Any
    ) -> stage.InService:
        first = lake.require(given.get("week", FIRST))
        sets = seen if seen is not None else first.table(stage.SAMPLE)
        splits = lake_stage.build(
            Lake(tmp_path / "examples"),
            first.configuration,
            f"{sets.num_rows} rows",
            lambda parts: [parts.write(name, sets) for name in ("train", "validation", "test")] and {},
        )[0]
        tags = {"week": first.configuration, "drift": first.id, "examples": splits.id}
        registered = Registered("bsl-guess", "3", given.get("run", "run"), "", tags)
        name = given.get("name", "guess")
        learned = known.of(Lake(tmp_path / "known"), name, registered, lake, Lake(tmp_path / "examples"))
        measured = stage.Measured(recorded, given.get("load", lambda: None), examples)
        return stage.InService(Guess(name), "3", learned, measured)  # type: ignore[arg-type]

    return champion


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "drift")


@pytest.fixture
def features(tmp_path: Path) -> Any:
    def write(name: str, rows: pa.Table) -> Version:
        made = lake_stage.build(
            Lake(tmp_path / "features"),
            name,
            f"v{rows['content_hash'][0]}",
            lambda p: p.write("features", rows) or {},
        )
        return made[0]

    return write


def test_the_first_week_has_nothing_to_compare_with_and_keeps_a_sample(lake: Lake, features: Any) -> None:
    made = stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    assert made.facts["level"] == NONE
    assert made.facts["reasons"] == [stage.NO_REFERENCE]
    assert made.version.rows(stage.SAMPLE) == 300


def test_a_later_week_is_compared_with_the_sample_and_done_once(
    lake: Lake, features: Any, in_service: Any
) -> None:
    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    options = {"more": lambda found: {"choices": found["guess"].level}}
    now, champions = [features("trade", methods(300, seed=2, longer=4))], [in_service(0.9)]
    made = stage.build(lake, SECOND, now, champions, SETTINGS, **options)
    assert made.facts["level"] == made.facts["choices"] == HIGH
    assert made.facts["performance"][0]["value"] == pytest.approx(0.4, abs=0.1)
    assert made.facts["features"] == {"trade": now[0].id}
    assert set(made.facts["pictures"]) >= {"signals", "features"}
    assert not stage.build(lake, SECOND, now, champions, SETTINGS, **options).is_new


def test_each_champion_is_compared_with_what_it_was_trained_for_itself(
    lake: Lake, features: Any, in_service: Any
) -> None:
    """One that was trained for the code as it is now has no drift, however old another one is."""
    now = [features("trade", methods(300, seed=2, longer=4))]
    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    stage.build(lake, SECOND, now, [], SETTINGS)
    champions = [in_service(name="old"), in_service(name="new", week=SECOND)]
    levels: dict[str, str] = {}
    made = stage.build(
        lake,
        THIRD,
        now,
        champions,
        SETTINGS,
        more=lambda found: levels.update({name: each.level for name, each in found.items()}) or {},
    )
    assert levels == {"old": MEDIUM, "new": NONE}
    assert (made.facts["level"], made.facts["reference"]) == (MEDIUM, FIRST)
    assert {one["task"] for one in made.facts["performance"]} == {"old", "new"}


def test_what_a_champion_was_trained_for_outlives_the_versions_of_its_week(
    lake: Lake, features: Any, in_service: Any
) -> None:
    """Drift is measured anew whenever code changes, and a week keeps three of its reports."""
    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    champion = in_service()
    for seed in range(2, 8):
        now = [features("trade", methods(300, seed=seed, longer=4))]
        made = stage.build(lake, FIRST, now, [champion], SETTINGS)
        assert made.facts["level"] == MEDIUM
    assert in_service().known.name == champion.known.name


def test_a_champion_is_not_measured_on_what_it_has_seen(lake: Lake, features: Any, in_service: Any) -> None:
    """Also when that was no code of the configurations when their drift was measured."""
    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    rows = methods(300, seed=2)
    asked: list[pa.Table] = []
    champion = in_service(0.4, lambda rows: asked.append(rows) or rows, seen=rows.slice(0, 200))
    made = stage.build(lake, SECOND, [features("trade", rows)], [champion], SETTINGS)
    assert asked[0]["content_hash"].to_pylist() == rows["content_hash"].slice(200).to_pylist()
    assert made.facts["performance"][0]["rows"] == 100


def test_without_what_it_has_seen_a_champion_is_not_measured_and_decides_nothing(
    lake: Lake, features: Any, in_service: Any, tmp_path: Path
) -> None:
    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    registered = Registered("bsl-guess", "3", "run", "", {"week": FIRST, "examples": "gone"})
    learned = known.of(Lake(tmp_path / "known"), "guess", registered, lake, Lake(tmp_path / "examples"))
    champion = stage.InService(Guess(), "3", learned, stage.Measured(0.9, lambda: None, lambda rows: rows))  # type: ignore[arg-type]
    made = stage.build(lake, SECOND, [features("trade", methods(300, seed=2))], [champion], SETTINGS)
    assert "which code version 3 has seen" in made.facts["performance"][0]["note"]
    assert made.facts["level"] == NONE


def test_a_champion_that_comes_back_finds_what_it_was_trained_for(
    lake: Lake, features: Any, in_service: Any, tmp_path: Path
) -> None:
    for number, week in enumerate((FIRST, SECOND, THIRD)):
        stage.build(lake, week, [features("trade", methods(300, seed=number))], [], SETTINGS)
        in_service(week=week, run=week)
    for week in (FIRST, SECOND, THIRD):
        lake.remove(week)
        assert known.of(
            Lake(tmp_path / "known"), "guess", Registered("m", "1", week, ""), lake, lake
        ).week == week  # fmt: skip


def test_the_same_methods_are_chosen_of_two_versions(features: Any) -> None:
    rows = methods(500, seed=1)
    whole, more = (
        features("a", rows),
        features("b", pa.concat_tables([rows, methods(5, seed=0)]).sort_by("content_hash")),
    )
    first, second = (stage.sample([version], 100)["content_hash"].to_pylist() for version in (whole, more))
    assert len(first) == len(second) == 100
    assert set(second) - {h for h in second if h.startswith("0000")} <= set(first)


def test_code_that_two_configurations_share_counts_once(features: Any) -> None:
    rows = methods(100, seed=1)
    found = stage.sample([features("a", rows), features("b", rows)], 1000)
    assert found.num_rows == 100


def test_fresh_code_without_labels_is_told_and_not_a_failure(
    lake: Lake, features: Any, in_service: Any
) -> None:
    def refuse(rows: pa.Table) -> pa.Table:
        raise PermanentError("no method has a label")

    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    now = [features("trade", methods(300, seed=2))]
    made = stage.build(lake, SECOND, now, [in_service(0.4, refuse)], SETTINGS)
    assert made.facts["performance"][0]["note"] == "no method has a label"


def test_few_fresh_examples_do_not_load_the_model(lake: Lake, features: Any, in_service: Any) -> None:
    def load() -> Any:
        raise AssertionError("loaded")

    stage.build(lake, FIRST, [features("trade", methods(300, seed=1))], [], SETTINGS)
    champion = in_service(0.4, lambda rows: rows.slice(0, 10), load=load)
    made = stage.build(lake, SECOND, [features("trade", methods(300, seed=2))], [champion], SETTINGS)
    assert made.facts["performance"][0]["note"] == "10 fresh examples, 50 are needed"


def test_fresh_is_what_was_not_there_before() -> None:
    rows = methods(10, seed=1)
    assert performance.fresh(rows, rows.slice(0, 7), 1000).num_rows == 3
    # the lowest hashes alone were kept: whether the highest were there, nobody knows
    assert performance.fresh(rows, rows.slice(0, 7), 7).num_rows == 0
    assert performance.fresh(rows, rows.slice(1, 6), 6).num_rows == 1


def test_code_that_was_changed_before_the_champions_data_ended_is_not_fresh() -> None:
    rows, week = methods(3, seed=1), datetime(2026, 11, 8, tzinfo=UTC)
    changed = pa.array([week - timedelta(1), None, week + timedelta(1)], rows.schema.field("changed_at").type)
    rows = rows.set_column(rows.schema.get_field_index("changed_at"), "changed_at", changed)
    found = performance.unseen(rows, pa.chunked_array([[""]]), week)
    assert found["content_hash"].to_pylist() == rows["content_hash"].to_pylist()[1:]


def test_the_champions_vectors_are_compared_under_its_name() -> None:
    class Model:
        def predict(self, rows: pa.Table) -> pa.Table:
            made = np.random.default_rng(rows.num_rows).normal(size=(rows.num_rows, 4)).astype(np.float32)
            return pa.table({"vector": pa.FixedSizeListArray.from_arrays(pa.array(made.ravel()), 4)})

    found = report.compare(
        methods(300, seed=1),
        methods(300, seed=2),
        SETTINGS,
        vectorise=vectors.champion(Model(), "champion 7"),  # type: ignore[arg-type]
    )
    assert found.embedding is not None
    assert found.embedding.vectors == "champion 7"
