"""The decision: quiet about the same code, loud about other code, with reasons; what a week leaves for the next."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import stage as lake_stage
from ai_stack_assets.domain.training.drift import performance, pictures, report, stage, vectors
from ai_stack_assets.domain.training.drift.performance import Performance
from ai_stack_assets.domain.training.drift.settings import HIGH, MEDIUM, NONE, DriftSettings, Threshold
from ai_stack_assets_tests.domain.training.drift.methods import FOREIGN, WORDS, methods

SETTINGS = DriftSettings(vectors=400, fresh_rows=50)


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

    NAME, METRIC = "guess", "share"

    def evaluate(self, model: Any, examples: pa.Table, *, seed: int) -> Any:
        right = examples["is_export"].to_numpy(zero_copy_only=False).astype(float)
        value = float(right.mean())
        return SimpleNamespace(metrics={"share": value}, score=lambda at: right[at].mean(), rows=len(right))


def in_service(recorded: float, examples: Any = lambda rows: rows) -> stage.InService:
    return stage.InService(Guess(), "3", recorded, lambda: None, examples)  # type: ignore[arg-type]


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
    made = stage.build(lake, "2026-11-01", [features("trade", methods(300, seed=1))], None, SETTINGS)
    assert made.facts["level"] == NONE
    assert made.facts["reasons"] == [stage.NO_REFERENCE]
    assert made.version.rows(stage.SAMPLE) == 300


def test_a_later_week_is_compared_with_the_sample_and_done_once(lake: Lake, features: Any) -> None:
    first = stage.build(lake, "2026-11-01", [features("trade", methods(300, seed=1))], None, SETTINGS).version
    options = {"champions": [in_service(0.9)], "more": lambda found: {"choices": found.level}}
    now = [features("trade", methods(300, seed=2, longer=4))]
    made = stage.build(lake, "2026-11-08", now, first, SETTINGS, **options)
    assert made.facts["level"] == made.facts["choices"] == HIGH
    assert made.facts["performance"][0]["value"] == pytest.approx(0.4, abs=0.1)
    assert made.facts["features"] == {"trade": now[0].id}
    assert set(made.facts["pictures"]) >= {"signals", "features"}
    assert not stage.build(lake, "2026-11-08", now, first, SETTINGS, **options).is_new


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


def test_fresh_code_without_labels_is_told_and_not_a_failure(lake: Lake, features: Any) -> None:
    def refuse(rows: pa.Table) -> pa.Table:
        raise PermanentError("no method has a label")

    first = stage.build(lake, "2026-11-01", [features("trade", methods(300, seed=1))], None, SETTINGS).version
    made = stage.build(
        lake,
        "2026-11-08",
        [features("trade", methods(300, seed=2))],
        first,
        SETTINGS,
        champions=[in_service(0.4, refuse)],
    )
    assert made.facts["performance"][0]["note"] == "no method has a label"


def test_few_fresh_examples_do_not_load_the_model(lake: Lake, features: Any) -> None:
    def load() -> Any:
        raise AssertionError("loaded")

    first = stage.build(lake, "2026-11-01", [features("trade", methods(300, seed=1))], None, SETTINGS).version
    champion = stage.InService(Guess(), "3", 0.4, load, lambda rows: rows.slice(0, 10))  # type: ignore[arg-type]
    made = stage.build(
        lake, "2026-11-08", [features("trade", methods(300, seed=2))], first, SETTINGS, champions=[champion]
    )
    assert made.facts["performance"][0]["note"] == "10 fresh examples, 50 are needed"


def test_fresh_is_what_the_reference_does_not_have() -> None:
    rows = methods(10, seed=1)
    assert performance.fresh(rows, rows.slice(0, 7)).num_rows == 3


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
