"""The training stage as assets: gates that keep the champion, models that fail alone, what follows from drift, faults midway."""

from __future__ import annotations

import os
import subprocess
import sys

import dagster as dg
import pytest

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.defs.trainings import TRAINING, WEEK, champion, configure, failed, reasons, train
from ai_stack_assets_tests.platform import PROJECT, Platform, checks, made, metadata


def test_the_first_model_becomes_champion_and_unchanged_input_fits_nothing_again(training: Platform) -> None:
    first = train(training)
    assert failed(first) == {}
    evaluated, registered = (
        metadata(first, keys.EVALUATIONS["regressor"]),
        metadata(first, keys.REGISTERED["regressor"]),
    )
    assert evaluated["outcome"] == "production" and evaluated["metric/closeness"] > 0.3
    assert (registered["action"], registered["champion"]) == ("promoted", "1")
    assert all(check.passed for key, check in checks(first).items() if key[1] != "no_cluster_crosses_splits")
    again = train(training, force=True)
    assert again.success and champion(training) == "1"
    assert not metadata(again, keys.MODELS["regressor"])["is_new"]
    assert not metadata(again, keys.EVALUATIONS["regressor"])["is_new"]


def test_each_part_shows_tables_and_pictures(training: Platform) -> None:
    result = train(training)
    evaluated = metadata(result, keys.EVALUATIONS["regressor"])
    assert "data:image/svg+xml" in evaluated["Against what it has to beat"]
    assert "a thousand" in evaluated["Against what it has to beat"] and "threshold" in evaluated["Gates"]
    assert evaluated["Guess"].startswith("All methods") and "What it is for" in evaluated["Model card"]
    model = metadata(result, keys.MODELS["regressor"])
    assert "epoch 3" in model["log"] and "offset" in model["parameters"] and model["peak_mb"] > 0
    assert "| dataset |" in metadata(result, keys.FEATURES)["sources"]
    assert metadata(result, keys.EXAMPLES["regressor"])["dagster/row_count"] == 400
    assert "there is no champion yet" in metadata(result, keys.DRIFT)["Which models are trained"]


def test_without_drift_nothing_is_trained_and_the_reason_is_shown(training: Platform) -> None:
    train(training)
    result = train(training)
    assert result.success and keys.MODELS["regressor"] not in made(result)
    assert keys.EVALUATIONS["regressor"] not in made(result)
    assert "nothing moved" in reasons(result)["regressor_model"]
    assert "nothing moved" in metadata(result, keys.DRIFT)["Which models are trained"]
    assert reasons(result)["embeddings_examples"] == "switched off in training.yaml"


def test_change_risk_is_left_out_while_no_history_is_in_the_lake(training: Platform) -> None:
    configure(training, on=("change_risk",))
    result = train(training)
    assert result.success and keys.MODELS["change_risk"] not in made(result)
    assert "history" in reasons(result)["change_risk_examples"]


def test_below_the_gate_the_champion_stays(training: Platform) -> None:
    train(training)
    configure(training, offset=50)
    result = train(training, force=True)
    assert not result.success and keys.REGISTERED["regressor"] not in made(result)
    check = checks(result)["training/bsl/regressor_evaluation", "reaches_its_threshold"]
    assert not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    assert metadata(result, keys.EVALUATIONS["regressor"])["outcome"] == "retrain"
    assert champion(training) == "1"
    rows = training.resources()["mlflow"].open().decisions_of("regressor")
    assert [row.outcome for row in rows] == ["production", "retrain"]


def test_a_model_that_is_not_better_is_a_challenger_and_the_champion_stays(training: Platform) -> None:
    train(training)
    configure(training, offset=0.01)
    result = train(training, force=True)
    assert result.success and champion(training) == "1"
    check = checks(result)["training/bsl/regressor_evaluation", "is_better_than_the_champion"]
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    assert metadata(result, keys.REGISTERED["regressor"])["action"] == "staged"


def test_a_better_model_replaces_the_champion_and_what_was_rolled_back_stays_so(training: Platform) -> None:
    configure(training, offset=2.5)
    train(training)
    configure(training)
    assert train(training, force=True).success and champion(training) == "2"
    training.resources()["mlflow"].open().rollback("regressor", reason="complaints")
    assert train(training, force=True).success
    assert champion(training) == "1"


def test_a_fit_that_fails_leaves_the_others(training: Platform) -> None:
    configure(training, on=("classifier", "regressor"), classifier={"fails": True})
    result = train(training)
    assert list(failed(result)) == ["training__bsl__classifier_model"]
    assert champion(training, "regressor") == "1" and champion(training, "classifier") is None


def test_a_full_disk_leaves_no_half_model(training: Platform) -> None:
    train(training)
    configure(training, disk_is_full=True)
    result = train(training, force=True)
    assert "No space left" in failed(result)["training__bsl__regressor_model"]
    assert champion(training) == "1"
    assert not list((training.data / "lake" / "training" / "regressor_model" / WEEK).glob(".draft"))
    configure(training)
    assert train(training, force=True).success


def test_mlflow_that_is_away_in_the_middle_keeps_the_fit_and_the_champion(
    training: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_stack_assets.domain.training.registry.registry import Registry

    train(training)
    configure(training, offset=0.02)

    def away(*_: object, **__: object) -> None:
        raise TransientError("MLflow does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(Registry, "log_evaluation", away)
        result = train(training, force=True)
        assert metadata(result, keys.MODELS["regressor"])["is_new"]
        assert "MLflow does not answer" in failed(result)["training__bsl__regressor_evaluation"]
        assert champion(training) == "1"
    result = train(training, force=True)
    assert result.success and not metadata(result, keys.MODELS["regressor"])["is_new"]


def test_without_mlflow_nobody_knows_what_is_in_use_and_nothing_is_trained(
    training: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_stack_assets.domain.training.registry.registry import Registry

    def away(*_: object, **__: object) -> None:
        raise TransientError("MLflow does not answer")

    monkeypatch.setattr(Registry, "champion", away)
    result = train(training)
    assert list(failed(result)) == ["training__bsl__drift"]
    assert keys.EXAMPLES["regressor"] in made(result) and keys.MODELS["regressor"] not in made(result)


_FIT = """
import sys
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.pipeline import Training
from ai_stack_assets.domain.training.settings import load
tasks.MODULES = {name: f"ai_stack_assets_tests.tiny_tasks.{name}" for name in tasks.NAMES}
folder = Path(sys.argv[1])
lake = lambda name: Lake(folder / "data" / "lake" / name)
week = Training(lake, sys.argv[2], load(folder / "training.yaml"), folder / "data" / "work" / "training")
week.model("regressor", say=lambda line: print(line, flush=True))
"""


def test_a_killed_fit_goes_on_from_its_checkpoint(training: Platform) -> None:
    training.run(TRAINING - dg.AssetSelection.assets(*keys.MODELS.values()).downstream(), WEEK)
    configure(training, dies=True)

    def fit() -> tuple[int, list[str]]:
        command = [sys.executable, "-c", _FIT, str(training.folder), WEEK]
        done = subprocess.run(
            command, cwd=PROJECT, env={**os.environ}, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout.split("\n")[:-1] or [done.stderr]

    assert fit() == (-9, ["epoch 0", "epoch 1"])
    assert fit() == (0, ["epoch 2", "epoch 3"])
    assert not list((training.data / "work" / "training" / "checkpoints").glob("*/*"))
    assert fit() == (0, [""])


def test_a_search_is_kept_and_later_fits_use_what_it_found(training: Platform) -> None:
    configure(training, more="search: {minutes: 1, trials: 3}")
    searched = train(training, search=True)
    assert searched.success
    assert metadata(searched, keys.MODELS["regressor"])["parameters_from"] == f"search of week {WEEK}"
    later = train(training, force=True)
    assert not metadata(later, keys.MODELS["regressor"])["is_new"]


def test_models_in_use_are_asked_about_new_methods_only(training: Platform) -> None:
    from ai_stack_assets_tests.platform import LAKE

    use = [keys.FEATURES, keys.INFERENCE]
    assert keys.INFERENCE not in made(training.run(use, WEEK))
    assert training.run(LAKE, "demo").success
    train(training)
    first, second = training.run(use, WEEK), training.run(use, WEEK)
    asked = metadata(first, keys.INFERENCE)["asked"]
    assert asked == metadata(first, keys.INFERENCE)["dagster/row_count"] > 10
    assert metadata(second, keys.INFERENCE)["asked"] == 0
    answers = training.resources()["lake"].open("training/inference").require("demo").table("regressor")
    assert {"content_hash", "object", "method_name", "expected_lines"} <= set(answers.column_names)


def test_cleaning_up_removes_what_is_stale_and_nothing_of_a_champion(training: Platform) -> None:
    train(training)
    work = training.data / "work" / "training"
    stale, fresh = work / "checkpoints" / "regressor" / "old", work / "checkpoints" / "regressor" / "new"
    for folder in (stale, fresh):
        folder.mkdir(parents=True)
        (folder / "epoch").write_text("1")
    for path in (stale / "epoch", stale):
        os.utime(path, (0, 0))
    configure(training, more="retention: {weeks: 0, runs: 1}")
    result = training.run([keys.CLEANUP], WEEK)
    assert result.success and metadata(result, keys.CLEANUP)["checkpoints"] == 1
    assert fresh.exists() and not stale.exists()
    lake = training.resources()["lake"]
    assert lake.open("training/regressor_model").configurations() == [WEEK]
    assert champion(training) == "1"


def test_further_metrics_have_minimums_that_their_check_shows(training: Platform) -> None:
    configure(
        training, limits="{target: 0.3, minimums: {closeness_to_ten: 0.99, closeness: 0.1}, resamples: 200}"
    )
    result = train(training)
    shown = checks(result)["training/bsl/regressor_evaluation", "reaches_its_threshold"]
    assert not shown.passed and metadata(result, keys.REGISTERED["regressor"])["action"] == "staged"
    for gate in ("threshold", "minimum closeness_to_ten", "minimum closeness"):
        assert f"| {gate} |" in shown.metadata["gates"].value
    assert "closeness_to_ten" in shown.description
