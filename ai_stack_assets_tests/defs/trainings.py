"""A week of the training stage for tests: its dataset, its settings, a run of it, and what became of the models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.features.compute import of_methods
from ai_stack_assets.orchestration import keys
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import PostgresResource
from ai_stack_assets_tests.domain.training import makers
from ai_stack_assets_tests.platform import Platform, location

STAGE = dg.AssetSelection.groups(keys.TRAINING)
TRAINING = STAGE - dg.AssetSelection.assets(keys.INFERENCE, keys.CLEANUP)
WEEK = makers.WEEK
TINY = "ai_stack_assets_tests.tiny_tasks"
ONE = ("regressor",)
"""Most tests look at one model: MLflow takes seconds for each."""


def records(split: str, count: int) -> list[dict[str, Any]]:
    """Methods of three lines and more, each family of modules in one split."""
    return [
        makers.a_record(
            f"{split.title()}Метод{number}",
            f"CommonModule.{split.title()}{'ABCDEFGHIJKLMNOPQRSTUVWXYZАБВГД'[number // 10]}Data",
            *(f"\tСумма = Сумма + {line};" for line in range(number % 5)),
            changed_at=None,
        )
        for number in range(count)
    ]


def write_dataset(platform: Platform, version: str = "first", rows: int = 300, week: str = WEEK) -> None:
    counts = {"train": rows, "validation": 40, "test": 60}
    write_splits(platform, version, {name: records(name, count) for name, count in counts.items()}, week)


def write_splits(
    platform: Platform, version: str, rows: Mapping[str, list[dict[str, Any]]], week: str = WEEK
) -> None:
    """As the dataset stage does it."""
    lake = platform.resources()["lake"].open("dataset/splits")

    def write(parts: stage.Parts) -> dict[str, Any]:
        for name, some in rows.items():
            parts.write(name, makers.a_table(some))
        return {}

    stage.build(lake, week, version, write)


LIMITS = "{target: 0.3, resamples: 200}"


def configure(
    platform: Platform, on: tuple[str, ...] = ONE, more: str = "", limits: str = LIMITS, **parameters: Any
) -> None:
    """training.yaml: these tasks are on, with parameters for all of them or for one (`regressor={…}`)."""
    lines = ["tasks:"]
    for name in tasks.NAMES:
        own = {**parameters, **parameters.get(name, {})}
        given = ", ".join(
            f"{key}: {str(value).lower()}" for key, value in own.items() if not isinstance(value, dict)
        )
        lines.append(
            f"  {name}: {{is_on: {str(name in on).lower()}, limits: {limits}, parameters: {{{given}}}}}"
        )
    (platform.folder / "training.yaml").write_text("\n".join([*lines, more, ""]))


def train(platform: Platform, **config: bool) -> dg.ExecuteInProcessResult:
    steps = {keys.MODELS[name].to_python_identifier(): config for name in tasks.NAMES} if config else None
    return platform.run(TRAINING, WEEK, steps)


def champion(platform: Platform, task: str = "regressor") -> str | None:
    found = platform.resources()["mlflow"].open().champion(task)
    return found and found.version


def reasons(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Of assets that were left out."""
    observed = [event.asset_observation_data.asset_observation for event in result.all_events
                if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION]  # fmt: skip
    return {each.asset_key.path[-1]: each.metadata["reason"].value for each in observed}


def failed(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {e.step_key: str(e.event_specific_data.error) for e in result.all_events if e.is_step_failure}


def in_use(platform: Platform, task: str = "regressor") -> tuple[str, str]:
    """Version of the champion, and what it answers: it is asked as whoever uses it does."""
    registry = platform.resources()["mlflow"].open()
    answers = registry.load(tasks.load(task)).predict(of_methods([{"code": makers.method("Курс")}]))
    return registry.champion(task).version, repr(answers.to_pylist())


FOLDER, SERVERS, PREFIX = "TRAININGS_FOLDER", "TRAININGS_SERVERS", "TRAININGS_PREFIX"
"""Environment of `in_processes`."""


def in_processes() -> dg.JobDefinition:
    """What follows the drift, with tiny tasks; each step in a process of its own, as in a real run."""
    folder, servers, prefix = (Path(os.environ[name]) for name in (FOLDER, SERVERS, PREFIX))
    tasks.MODULES = {name: f"{TINY}.{name}" for name in tasks.NAMES}
    platform = Platform(folder, dg.DagsterInstance.ephemeral())
    postgres = PostgresResource(data=str(servers))
    platform.replaced["mlflow"] = MlflowResource(data=str(servers), postgres=postgres, prefix=str(prefix))
    selection = dg.AssetSelection.assets(keys.MODELS["regressor"]).downstream() & TRAINING
    executor = dg.multiprocess_executor.configured({"max_concurrent": 1})
    job = dg.define_asset_job("in_processes", selection, executor_def=executor)
    definitions = dg.Definitions(location().assets, resources=platform.resources(), jobs=[job])
    return definitions.resolve_job_def("in_processes")
