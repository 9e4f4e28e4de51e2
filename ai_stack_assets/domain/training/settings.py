"""`training.yaml`: what each model should reach, with which parameters, and what lets one replace another. No secrets.

Every key has a default; an unknown or ill-typed one is an error that names it. The sections are the settings of the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_stack_assets.domain.common import yaml_settings
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.distributed import Workers
from ai_stack_assets.domain.training.drift.settings import DriftSettings
from ai_stack_assets.domain.training.evaluation.gates import Limits

Parameter = bool | int | float | str

LIMITS = {
    "embeddings": Limits(
        target=0.65,
        minimums={"hybrid_mrr_at_10": 0.70},
        slice_margin=0.05,
        size_mb=200,
        rows_per_second=2000,
    ),
    "classifier": Limits(
        target=0.64,
        minimums={"context_accuracy": 0.85},
        slice_margin=0.08,
        size_mb=200,
        rows_per_second=500,
    ),
    "regressor": Limits(
        target=0.28, minimums={"spearman_by_family": 0.5}, slice_margin=0.08, size_mb=200, rows_per_second=500
    ),
    "change_risk": Limits(target=0.70, slice_margin=0.08, size_mb=200, rows_per_second=500),
}
"""What was reached on a large public configuration, split by families of modules, is what is asked for."""


@dataclass(frozen=True)
class TaskSettings:
    """One model."""

    limits: Limits | None = None
    """What it has to reach, and may cost. All of it, or none: a section that is given replaces the default one."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    """Instead of the task's own defaults, and of what a search found."""
    distributed: Workers = field(default_factory=Workers)
    """Processes, on a cluster of Ray, that share one fit."""
    pod: Mapping[str, Any] = field(default_factory=dict)
    """Of its fit in Kubernetes: GPUs, processor, memory, nodes. See `orchestration.pods.Pod`."""
    is_on: bool = True


@dataclass(frozen=True)
class Retention:
    """What cleaning up leaves."""

    runs: int = 20
    """MLflow runs of each task; those of a champion or challenger always stay."""
    weeks: int = 8
    """Weeks whose features, examples, models and evaluations stay in the lake; weeks of a champion always stay."""
    checkpoint_days: float = 7
    temporary_days: float = 1


@dataclass(frozen=True)
class SearchSettings:
    """How long better parameters are looked for, of each task, when a run asks for it."""

    minutes: float = 20
    trials: int | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """All of `training.yaml`."""

    tasks: Mapping[str, TaskSettings] = field(default_factory=dict)
    seed: int = 7
    threads: int = 0
    """Of each fit. 0: the cores of the machine, shared by the fits that run at once."""
    least_rows: int = 200
    """Examples to train on, below which nothing is trained."""
    drift: DriftSettings = field(default_factory=DriftSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    retention: Retention = field(default_factory=Retention)

    def task(self, name: str) -> TaskSettings:
        return self.tasks.get(name) or TaskSettings()

    def limits(self, name: str) -> Limits:
        return self.task(name).limits or LIMITS[name]


def load(file: Path) -> TrainingSettings:
    """The settings; all defaults when there is no file.

    Raises:
        PermanentError: the file cannot be read; a key in it is unknown, or its value of another type or out of range.
    """
    settings = yaml_settings.read(file, TrainingSettings)
    if unknown := sorted(set(settings.tasks) - set(tasks.NAMES)):
        raise PermanentError(f"{file}: there is no task {unknown[0]!r}: {', '.join(tasks.NAMES)}")
    if settings.threads < 0:
        raise PermanentError(f"{file}: threads is 0 or more, not {settings.threads}")
    return settings
