"""What follows a training, and when one begins: schedules, clean-up however it ended, messages, another try, pods."""

from __future__ import annotations

import contextvars
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from ai_stack_assets.defs.training import after, jobs, models
from ai_stack_assets.orchestration import keys, training_runs
from ai_stack_assets.orchestration.partitions import PARTITION_TAG
from ai_stack_assets.resources.alerts import AlertsResource
from ai_stack_assets_tests.platform import Platform, location

WEEK = "2026-11-15"
RUN = "11111111-2222-3333-4444-555555555555"
OUTCOMES = {"classifier": "production", "regressor": "retrain", "change_risk": "staging"}


@pytest.fixture
def ended(platform: Platform) -> dg.DagsterRun:
    """A run that made evaluations: a model was promoted, one is to be tried again, one did not get into the registry."""

    @dg.op
    def trained(context) -> None:
        made = [dg.AssetMaterialization(keys.DRIFT, metadata={"level": "high", "reasons": ["words moved"]})]
        for task, outcome in OUTCOMES.items():
            facts = {"outcome": outcome, "metric/score": 0.5, "model": f"{task}-fit", "reason": "as asked"}
            facts |= {"in_use": "version 1 stays in use"} if outcome == "retrain" else {}
            made.append(dg.AssetMaterialization(keys.EVALUATIONS[task], metadata=facts))
        made.append(dg.AssetMaterialization(keys.REGISTERED["classifier"], metadata={"action": "promoted"}))
        for each in made:
            context.log_event(each)

    @dg.job(name=keys.TRAINING_JOB)
    def job() -> None:
        trained()

    result = job.execute_in_process(instance=platform.instance, tags={PARTITION_TAG: WEEK})
    return result.dagster_run


def asked_by(schedule: dg.ScheduleDefinition, platform: Platform) -> Any:
    """In a context of its own, see `platform.asked_by`."""

    def asked() -> Any:
        at = datetime.fromisoformat("2026-11-22T06:00:00+03:00")
        resources = {"training_settings": platform.resources()["training_settings"]}
        with dg.build_schedule_context(
            instance=platform.instance, scheduled_execution_time=at, resources=resources
        ) as context:
            return schedule(context)

    return contextvars.copy_context().run(asked)


def context_of(platform: Platform, run: dg.DagsterRun, name: str) -> Any:
    event = dg.DagsterEvent("PIPELINE_SUCCESS", keys.TRAINING_JOB)
    return dg.build_run_status_sensor_context(
        sensor_name=name, dagster_event=event, dagster_instance=platform.instance, dagster_run=run
    )


@pytest.mark.parametrize(
    "sensor", [after.after_success, after.after_failure, after.after_cancel], ids=lambda s: s.name
)
def test_however_a_training_ended_it_is_cleaned_up_after(
    platform: Platform, ended: dg.DagsterRun, sensor: dg.SensorDefinition
) -> None:
    asked = list(sensor(context_of(platform, ended, sensor.name)))
    assert {(each.job_name, each.partition_key) for each in asked} == {
        (keys.CLEANUP_JOB, WEEK),
        (keys.FEATURES_JOB, WEEK),
    }
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


@pytest.mark.parametrize(
    "sensor", [after.told_success, after.told_failure, after.told_cancel], ids=lambda s: s.name
)
def test_however_a_training_ended_the_message_says_what_became_of_each_model(
    platform: Platform, ended: dg.DagsterRun, sensor: dg.SensorDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(AlertsResource, "send", lambda _, text: sent.append(text) or True)
    sensor(context_of(platform, ended, sensor.name), alerts=AlertsResource())
    assert "drift high: words moved" in sent[0]
    assert "- classifier: promoted, score 0.500\n" in sent[0]
    assert "- regressor: retrain, score 0.500 (as asked)" in sent[0]
    assert "- change_risk: staging, but not registered: see the run, score 0.500" in sent[0]
    assert "- embeddings: not trained" in sent[0]


def test_a_training_in_which_nothing_was_judged_sends_no_message(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(AlertsResource, "send", lambda _, text: sent.append(text) or True)

    @dg.job(name=keys.TRAINING_JOB)
    def job() -> None: ...

    run = job.execute_in_process(instance=platform.instance, tags={PARTITION_TAG: WEEK}).dagster_run
    skipped = after.told_failure(context_of(platform, run, after.told_failure.name), alerts=AlertsResource())
    assert sent == [] and "before a model was judged" in skipped.skip_message


def test_only_a_model_whose_gates_say_so_is_tried_again_and_once_for_each_fit(
    platform: Platform, ended: dg.DagsterRun
) -> None:
    [asked] = list(after.train_again(context_of(platform, ended, "training_with_other_parameters")))
    assert asked.run_key == "search:regressor:regressor-fit" and asked.partition_key == WEEK
    assert asked.asset_selection == [
        keys.MODELS["regressor"],
        keys.EVALUATIONS["regressor"],
        keys.REGISTERED["regressor"],
    ]
    assert asked.run_config["ops"]["training__bsl__regressor_model"]["config"] == {"search": True}


def test_nothing_is_tried_again_after_a_run_without_refusals(platform: Platform) -> None:
    assert training_runs.to_retrain(platform.instance, RUN) == {}


@pytest.mark.parametrize(
    "schedule", [jobs.every_hour, jobs.every_sunday, jobs.cleanup_every_day], ids=lambda s: s.name
)
def test_schedules_ask_for_the_newest_week_with_a_dataset(
    platform: Platform, schedule: dg.ScheduleDefinition
) -> None:
    from ai_stack_assets.domain.dataset import stage
    from ai_stack_assets_tests.domain.training import makers

    assert asked_by(schedule, platform).partition_key > "2026"
    lake = platform.resources()["lake"].open("dataset/splits")
    for week in ("2026-02-01", "2026-02-08"):
        stage.build(lake, week, "given", lambda parts: parts.write("train", makers.a_table([])) or {})
    assert asked_by(schedule, platform).partition_key == "2026-02-08"


def test_fits_share_the_machine_and_each_model_has_a_step_of_its_own() -> None:
    job = location().resolve_job_def(keys.TRAINING_JOB)
    fits = [node for node in job.nodes if keys.FIT_TAG in node.definition.tags]
    assert {node.name for node in fits} == {key.to_python_identifier() for key in keys.MODELS.values()}
    assert not {keys.INFERENCE, keys.CLEANUP} & job.asset_layer.executable_asset_keys


def test_a_pod_of_a_fit_has_the_gpu_that_training_yaml_gives_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = platform.folder / "training.yaml"
    file.write_text("tasks: {embeddings: {pod: {gpus: 1, memory: 16Gi}}}")
    monkeypatch.setenv("AI_STACK_ASSETS_TRAINING", str(file))
    assert models.fit_tags("embeddings") == {keys.FIT_TAG: "embeddings"}
    monkeypatch.setenv("AI_STACK_ASSETS_EXECUTOR", "steps.yaml")
    given = models.fit_tags("embeddings")["dagster-k8s/config"]["container_config"]["resources"]
    assert given["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "1"}
    assert models.fit_tags("regressor") == {keys.FIT_TAG: "regressor"}
    file.write_text("tasks: {embeddings: {pod: {gpu: 1}}}")
    assert models.fit_tags("embeddings") == {keys.FIT_TAG: "embeddings"}
