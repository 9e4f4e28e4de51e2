"""Sensors over models and data: skip with a reason, ask once for one state of the world, forget nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from ai_stack_assets.components.mlflow_sensors import (
    DataQualitySensor,
    ModelAliasSensor,
    PerformanceSensor,
    RunCompleteSensor,
    TriggerSensor,
)
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training.conditions import holds, shape
from ai_stack_assets.domain.training.registry.tracking import Tracking
from ai_stack_assets.domain.training.validation_rules import Rules

MODEL = "bsl-tested"


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    """One embedded MLflow: making it takes seconds."""
    return Tracking(tmp_path_factory.mktemp("mlflow"))


@pytest.fixture
def client(tracking: Tracking) -> Iterator[Any]:
    with tracking.open() as client:
        client.create_registered_model(MODEL)
        yield client
        client.delete_registered_model(MODEL)


def version(client: Any, alias: str = "champion", **metrics: float) -> str:
    """Another version, under the alias."""
    experiment = client.get_experiment_by_name("runs")
    run = client.create_run(experiment.experiment_id if experiment else client.create_experiment("runs"))
    for name, value in metrics.items():
        client.log_metric(run.info.run_id, name, value)
    client.set_terminated(run.info.run_id)
    made = client.create_model_version(MODEL, "file:///nowhere", run.info.run_id)
    client.set_registered_model_alias(MODEL, alias, made.version)
    return str(made.version)


@dg.op
def work() -> None: ...


@dg.job
def train() -> None:
    work()


WEEKS = dg.WeeklyPartitionsDefinition("2026-01-04", day_offset=0)


@dg.job(partitions_def=WEEKS)
def train_week() -> None:
    work()


def common(**more: Any) -> dict[str, Any]:
    return {"name": "tested", "description": "Waits.", "job": "train", **more}


class Ticks:
    """One sensor, tick after tick, with its cursor."""

    def __init__(
        self, component: TriggerSensor, tracking: Tracking | None = None, lake: Path | None = None
    ) -> None:
        sensor = component.sensor()
        self.sensor, self.cursor = sensor, None
        self.definitions = dg.Definitions(sensors=[sensor], jobs=[train, train_week])
        self.resources = {
            "mlflow": SimpleNamespace(open=lambda: SimpleNamespace(tracking=tracking)),
            "lake": SimpleNamespace(open=lambda namespace: Lake(lake / namespace) if lake else None),
        }

    def tick(self) -> list[dg.RunRequest]:
        return list(self._evaluated().run_requests or [])

    def reason(self) -> str:
        found = self._evaluated()
        assert not found.run_requests
        return found.skip_message or ""

    def _evaluated(self) -> Any:
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(
                instance=instance,
                cursor=self.cursor,
                repository_def=self.definitions.get_repository_def(),
                resources=self.resources,
            ) as context,
        ):
            found = self.sensor.evaluate_tick(context)
            self.cursor = found.cursor
            return found


def test_a_new_version_under_an_alias_is_asked_for_once(tracking: Tracking, client: Any) -> None:
    ticks = Ticks(ModelAliasSensor(**common(registered_model=MODEL)), tracking)
    assert "is not there" in ticks.reason()
    first = version(client)
    [asked] = ticks.tick()
    assert (asked.tags["mlflow/model"], asked.tags["mlflow/version"]) == (MODEL, first)
    assert f"still version {first}" in ticks.reason()


def test_a_version_that_comes_back_is_news_again(tracking: Tracking, client: Any) -> None:
    ticks = Ticks(ModelAliasSensor(**common(registered_model=MODEL)), tracking)
    first = version(client)
    keys = [request.run_key for request in ticks.tick()]
    version(client)
    keys += [request.run_key for request in ticks.tick()]
    client.set_registered_model_alias(MODEL, "champion", first)
    keys += [request.run_key for request in ticks.tick()]
    assert len(set(keys)) == 3


def test_an_alias_that_is_taken_away_is_told(tracking: Tracking, client: Any) -> None:
    ticks = Ticks(ModelAliasSensor(**common(registered_model=MODEL)), tracking)
    version(client)
    ticks.tick()
    client.delete_registered_model_alias(MODEL, "champion")
    assert "is there no more" in ticks.reason()


def test_a_job_with_weeks_runs_for_the_newest(tracking: Tracking, client: Any) -> None:
    version(client)
    [asked] = Ticks(ModelAliasSensor(**common(registered_model=MODEL, job="train_week")), tracking).tick()
    assert asked.partition_key == WEEKS.get_last_partition_key()


def run_ends(client: Any, experiment: str, status: str, end_time: int) -> str:
    found = client.get_experiment_by_name(experiment)
    run = client.create_run(found.experiment_id if found else client.create_experiment(experiment))
    client.set_terminated(run.info.run_id, status, end_time)
    return run.info.run_id


def test_each_run_that_ends_is_asked_for_once_though_two_end_together(
    tracking: Tracking, client: Any
) -> None:
    ticks = Ticks(RunCompleteSensor(**common(experiment="ending")), tracking)
    assert "No run of ending" in ticks.reason()
    now = int(ticks.cursor.partition(":")[0]) + 1000  # type: ignore[union-attr]
    run_ends(client, "ending", "FAILED", now)
    first = run_ends(client, "ending", "FINISHED", now)
    assert [request.tags["mlflow/run_id"] for request in ticks.tick()] == [first]
    assert "No run of ending" in ticks.reason()
    second = run_ends(client, "ending", "FINISHED", now)
    assert [request.tags["mlflow/run_id"] for request in ticks.tick()] == [second]
    assert "No run of ending" in ticks.reason()


def test_runs_from_before_the_first_look_are_left_out(tracking: Tracking, client: Any) -> None:
    run_ends(client, "past", "FINISHED", 1_000)
    assert "No run of past" in Ticks(RunCompleteSensor(**common(experiment="past")), tracking).reason()


@pytest.mark.parametrize(
    ("comparison", "asked"), [("<", 0), ("<=", 1), (">", 0), (">=", 1), ("==", 1), ("!=", 0)]
)
def test_all_comparisons_hold_for_a_metric_as_for_numbers(
    tracking: Tracking, client: Any, comparison: Any, asked: int
) -> None:
    version(client, r2=0.28)
    sensor = PerformanceSensor(
        **common(registered_model=MODEL, metric="r2", comparison=comparison, threshold=0.28)
    )
    assert len(Ticks(sensor, tracking).tick()) == asked


def test_a_metric_that_fell_is_asked_for_once_and_again_when_it_fell_anew(
    tracking: Tracking, client: Any
) -> None:
    ticks = Ticks(
        PerformanceSensor(**common(registered_model=MODEL, metric="r2", comparison="<", threshold=0.2)),
        tracking,
    )
    assert "is not there" in ticks.reason()
    version(client, r2=0.1)
    assert len(ticks.tick()) == 1
    assert "as when it was asked for last" in ticks.reason()
    version(client, r2=0.3)
    assert "is 0.3: not < 0.2" in ticks.reason()
    version(client, r2=0.1)
    assert len(ticks.tick()) == 1


def test_a_metric_that_nobody_has_logged_is_told(tracking: Tracking, client: Any) -> None:
    version(client, r2=0.1)
    sensor = PerformanceSensor(**common(registered_model=MODEL, metric="auc", comparison="<", threshold=0.2))
    assert "has no metric auc" in Ticks(sensor, tracking).reason()


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [("<", 1, 0, 0), ("<=", 1, 1, 0), (">", 0, 0, 1), (">=", 0, 1, 1), ("==", 0, 1, 0), ("!=", 1, 0, 1)],
)
def test_a_comparison_means_what_it_says(comparison: Any, below: int, equal: int, above: int) -> None:
    assert [holds(value, comparison, 2) for value in (1, 2, 3)] == [bool(below), bool(equal), bool(above)]
    assert not holds(float("nan"), comparison, 2)


def write(folder: Path, version_id: str, rows: pa.Table) -> None:
    stage.build(
        Lake(folder / "training/features"),
        "trade",
        version_id,
        lambda parts: parts.write("features", rows) or {},
    )


def quality(folder: Path, **rules: Any) -> Ticks:
    place = {"namespace": "training/features", "configuration": "trade", "table": "features"}
    return Ticks(DataQualitySensor(**common(**place, **rules)), lake=folder)


ROWS = pa.table({"code": ["a", "b", None, "d"], "lines": [1, 2, 3, 4], "terms": [["a"], [], ["b"], ["c"]]})


def test_data_that_is_as_it_should_be_is_asked_for_once(tmp_path: Path) -> None:
    ticks = quality(tmp_path, rows=4, columns=["code", "lines", "terms"], null_share=0.25)
    assert "is not in the lake" in ticks.reason()
    write(tmp_path, "v1", ROWS)
    [asked] = ticks.tick()
    assert asked.tags["lake/version"] == "v1"
    assert "still version v1" in ticks.reason()


def test_data_that_is_not_is_told_rule_by_rule_until_a_version_is(tmp_path: Path) -> None:
    ticks = quality(tmp_path, rows=5, columns=["code", "module"], null_shares={"code": 0.1})
    write(tmp_path, "v1", ROWS)
    reason = ticks.reason()
    assert "4 rows, 5 are needed" in reason
    assert "column module is missing" in reason
    assert "25.0% of code is null, at most 10.0% may be" in reason
    good = pa.table({"code": ["a"] * 5, "module": ["m"] * 5})
    write(tmp_path, "v2", good)
    assert len(ticks.tick()) == 1


def test_a_table_without_files_breaks_the_rules_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "v1", ROWS)
    found = Lake(tmp_path / "training/features").require("trade")
    assert [finding.rule for finding in shape(found, "absent", Rules(1, ("code",)))] == ["rows", "column"]


def test_a_document_makes_a_sensor_that_is_switched_off() -> None:
    document = {**common(), "registered_model": MODEL, "metric": "r2", "comparison": "<=", "threshold": 0.2}
    made = PerformanceSensor.resolve_from_dict(document).sensor()
    assert made.name == "tested"
    assert made.job_name == "train"
    assert made.default_status == dg.DefaultSensorStatus.STOPPED
