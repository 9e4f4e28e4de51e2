"""What starts training by itself: skip with a reason, one request for one change, nothing heavy loaded on the way."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from ai_stack_assets.defs.training import sensors
from ai_stack_assets.defs.training.sensors import drift_changed, performance_fell
from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training import watching
from ai_stack_assets.domain.training.settings import TrainingSettings
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import PARTITION_TAG
from ai_stack_assets_tests.platform import Platform, location

WEEK = "2026-11-01"


def write(platform: Platform, namespace: str, name: str, version: str, **facts: Any) -> Version:
    lake = platform.resources()["lake"].open(namespace)
    return stage.build(lake, name, version, lambda _: facts)[0]


def week_with_features(platform: Platform, features: str = "f1", splits: str = "s1") -> None:
    write(platform, "dataset/splits", WEEK, splits)
    write(platform, "onec", "trade", "v1")
    write(platform, "training/features", "trade", features)


def drift(
    platform: Platform, level: str, *trained: str, version: str = "d1", features: str = "f1", **more: Any
) -> None:
    choices = {name: {"is_trained": name in trained, "reason": level} for name in keys.MODELS}
    facts = {
        "level": level,
        "reasons": [f"it is {level}"],
        "choices": choices,
        "features": {"trade": features},
    }
    write(platform, "training/drift", WEEK, version, **facts, **more)


def tick(platform: Platform, cursor: str | None = None) -> tuple[Any, str | None]:
    with dg.build_sensor_context(
        instance=platform.instance,
        cursor=cursor,
        repository_def=location().get_repository_def(),
        resources={"training_settings": platform.resources()["training_settings"]},
    ) as context:
        return drift_changed(context), context.cursor


def selected(request: dg.RunRequest) -> set[dg.AssetKey]:
    assert request.partition_key == WEEK
    return set(request.asset_selection or [])


def of_task(name: str) -> set[dg.AssetKey]:
    return {kind[name] for kind in (keys.EXAMPLES, keys.MODELS, keys.EVALUATIONS, keys.REGISTERED)}


def test_without_features_there_is_nothing_to_do(platform: Platform) -> None:
    write(platform, "dataset/splits", WEEK, "s1")
    skipped, _ = tick(platform)
    assert "no configuration has features yet" in skipped.skip_message


def test_a_week_without_a_report_has_its_drift_measured(platform: Platform) -> None:
    week_with_features(platform)
    asked, _ = tick(platform)
    assert selected(asked) == {keys.DRIFT}


def test_code_that_has_changed_since_is_measured_again(platform: Platform) -> None:
    week_with_features(platform, features="f2")
    drift(platform, "none", features="f1")
    asked, _ = tick(platform)
    assert selected(asked) == {keys.DRIFT}


def test_no_drift_is_skipped_with_the_reason(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "none")
    skipped, _ = tick(platform)
    assert skipped.skip_message == f"drift of week {WEEK} is none: it is none"


def test_what_the_report_chose_is_trained(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "medium", "classifier", "regressor")
    asked, _ = tick(platform)
    assert selected(asked) == {keys.FEATURES, *of_task("classifier"), *of_task("regressor")}
    assert "it is medium" in asked.tags[sensors.REASON_TAG]


def test_the_same_is_asked_for_once(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "high", *keys.MODELS)
    _, cursor = tick(platform)
    skipped, cursor = tick(platform, cursor)
    assert "asked for before" in skipped.skip_message
    skipped, _ = tick(platform, cursor)
    assert "asked for before" in skipped.skip_message


def test_the_same_choice_for_another_dataset_is_another_request(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "high", "classifier")
    first, cursor = tick(platform)
    week_with_features(platform, splits="s2")
    second, _ = tick(platform, cursor)
    assert first.run_key != second.run_key
    assert selected(first) == selected(second)


def test_a_training_that_is_under_way_is_not_overtaken(platform: Platform) -> None:
    week_with_features(platform)
    run = platform.instance.create_run_for_job(
        location().resolve_job_def(keys.TRAINING_JOB),
        tags={PARTITION_TAG: WEEK},
        status=dg.DagsterRunStatus.STARTED,
    )
    skipped, _ = tick(platform)
    assert run.run_id in skipped.skip_message


def test_a_tick_loads_nothing_heavy(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "high", *keys.MODELS)
    program = f"""
import sys; from pathlib import Path; from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training import watching
lake = Path({str(platform.data / "lake")!r})
print(watching.after_drift(lambda name: Lake(lake / name), {WEEK!r}).what)
print([m for m in ("mlflow", "numpy", "numba", "pandas", "sklearn", "lightgbm", "pyarrow") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["train", "[]"]


def night(platform: Platform, *before: Any) -> list[Any]:
    """What is asked for. `before`: answers to requests of earlier nights, whose runs are there."""
    # a schedule opens the instance by its reference: one without files has none
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2026, 11, 9, tzinfo=UTC),
            resources={"training_settings": platform.resources()["training_settings"]},
        ) as context,
    ):
        for request in before:
            job = location().resolve_job_def(keys.TRAINING_JOB)
            instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.FAILURE)
        return list(performance_fell(context))


def performance(task: str, metric: str, value: float | None, note: str = "") -> dict[str, Any]:
    return {"task": task, "metric": metric, "value": value, "note": note}


def test_a_model_below_its_threshold_is_trained_whatever_the_drift(platform: Platform) -> None:
    week_with_features(platform)
    measured = [performance("regressor", "r2", 0.1), performance("classifier", "macro_f1", 0.9)]
    drift(platform, "none", performance=measured)
    [asked] = night(platform)
    assert selected(asked) == {keys.FEATURES, *of_task("regressor")}
    step = keys.MODELS["regressor"].to_python_identifier()
    assert asked.run_config == {"ops": {step: {"config": {"search": True}}}}


def test_what_was_searched_for_once_is_left_until_the_model_or_the_dataset_is_another_one(
    platform: Platform,
) -> None:
    week_with_features(platform)
    fell = {"performance": [performance("regressor", "r2", 0.1)], "champions": {"regressor": "1"}}
    drift(platform, "none", **fell)
    first = night(platform)
    [skipped] = night(platform, *first)
    assert "asked for before" in skipped.skip_message
    drift(platform, "none", version="d2", features="f2", **fell)
    [skipped] = night(platform, *first)
    assert "asked for before" in skipped.skip_message
    drift(platform, "none", version="d3", **{**fell, "champions": {"regressor": "2"}})
    [again] = night(platform, *first)
    assert selected(again) >= of_task("regressor")
    week_with_features(platform, splits="s2")
    [again] = night(platform, *first, again)
    assert selected(again) >= of_task("regressor")


def test_each_model_that_fell_is_searched_for_by_itself(platform: Platform) -> None:
    """One that was searched for in vain does not keep the other from it, nor is searched for again with it."""
    week_with_features(platform)
    drift(platform, "none", performance=[performance("regressor", "r2", 0.1)])
    first = night(platform)
    measured = [performance("regressor", "r2", 0.1), performance("classifier", "macro_f1", 0.1)]
    drift(platform, "none", version="d2", performance=measured)
    [asked] = night(platform, *first)
    assert selected(asked) == {keys.FEATURES, *of_task("classifier")}


def test_without_a_dataset_nothing_is_searched_for(platform: Platform) -> None:
    week_with_features(platform)
    drift(platform, "none", performance=[performance("regressor", "r2", 0.1)])
    lake = platform.resources()["lake"]
    found = watching.below_threshold(
        lambda name: lake.open("elsewhere" if name.startswith("dataset") else name), WEEK, TrainingSettings()
    )
    assert [each.what for each in found] == [watching.NOTHING]
    assert "is not there to train on" in found[0].reason


def test_models_that_keep_their_metric_are_left_alone(platform: Platform) -> None:
    week_with_features(platform)
    measured = [
        performance("regressor", "r2", 0.3),
        performance("change_risk", "auc", None, "3 fresh examples"),
    ]
    drift(platform, "none", performance=measured)
    [skipped] = night(platform)
    assert (
        skipped.skip_message
        == "regressor: r2 0.300 is not below 0.238; change_risk: auc is not known (3 fresh examples)"
    )


def test_a_model_that_is_switched_off_is_not_trained(platform: Platform) -> None:
    (platform.folder / "training.yaml").write_text("tasks: {regressor: {is_on: false}}")
    week_with_features(platform)
    drift(platform, "none", performance=[performance("regressor", "r2", 0.1)])
    [skipped] = night(platform)
    assert "below" in skipped.skip_message


@pytest.mark.parametrize("sensor", [drift_changed, performance_fell], ids=lambda sensor: sensor.name)
def test_it_asks_for_the_training_job(sensor: Any) -> None:
    assert sensor.job_name == keys.TRAINING_JOB


def test_drift_is_looked_at_every_half_hour_and_metrics_at_three() -> None:
    assert drift_changed.minimum_interval_seconds == 1800
    assert performance_fell.cron_schedule == "0 3 * * *"
    assert performance_fell.execution_timezone
