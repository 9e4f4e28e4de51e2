"""What a task of the training stage is: how its examples are chosen, how a model is fitted, used and judged.

One module per task implements `Task`; the pipeline, the gates, the registry and the benchmark know nothing else of it.
No task, no MLflow and no Dagster here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Progress = Callable[[str], None]
"""One line of the log: epoch, loss, validation metric."""


@dataclass(frozen=True)
class Sets:
    """Prepared examples of one task, as `Task.prepare` made them, one table per split.

    `train` is without the families (module names that differ in Клиент, Сервер, Служебный…) of `validation` and `test`: what is
    measured on those is measured on code that the model has seen nothing like.
    """

    train: pa.Table
    validation: pa.Table
    test: pa.Table
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Versions of the dataset, of the features and of the lake that they came from, rows by split."""


class Model(Protocol):
    """A fitted model. Inputs are rows of the features table (see `features.definitions`), never the label."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """One row per input row: the task's own columns (`vector`; `subsystem`, `subsystem_score`, `context`; …)."""
        ...

    def save(self, folder: Path) -> None:
        """Plain files (npz, txt, json) into an empty folder: nothing that a pickle is needed for, where that can be had."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """How good a model, or a baseline, is on one table of examples."""

    metrics: Mapping[str, float]
    """All that a person would ask for; the task's `metric` is among them. Higher is better for that one."""
    score: Callable[[np.ndarray], float]
    """The task's `metric` over a resample: indices into the examples, with repetition. What the bootstrap calls, so fast."""
    rows: int
    slices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """`configuration=trade`, `module_type=FormModule` → the task's metric and `rows`; smaller ones than 30 rows are left out."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Title → markdown (a table, or an image as a data URL) that shows what the numbers do not."""


class Task(Protocol):
    """A module with these names: `training.tasks` lists them."""

    NAME: str
    METRIC: str
    """What the gate looks at; higher is better."""
    PARAMETERS: Mapping[str, Any]
    """Defaults of `fit`: numbers, strings and booleans only."""
    CODE_VERSION: str
    REQUIREMENTS: Sequence[str]
    """What a process needs to use a saved model: `numpy`, `PyStemmer`, `lightgbm`…"""

    def prepare(self, rows: pa.Table) -> pa.Table:
        """The examples among rows of the features table (all columns of `features.definitions`), with the columns that the
        task needs besides. Raises PermanentError that says what is missing: no labels, one class, a constant target."""
        ...

    def fit(
        self,
        sets: Sets,
        parameters: Mapping[str, Any],
        *,
        seed: int,
        checkpoint: Path | None = None,
        progress: Progress = print,
    ) -> Model:
        """Same sets, parameters and seed: same model within the tolerance that the module states.

        `checkpoint`: a folder of this fit alone; what lies there is gone on with, unless it is damaged or of another fit.
        """
        ...

    def load(self, folder: Path) -> Model:
        """What `Model.save` wrote. Raises PermanentError that names the file which is damaged."""
        ...

    def evaluate(self, model: Model, examples: pa.Table, *, seed: int) -> Evaluation: ...

    def baselines(self, sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
        """What a model has to beat, by name (`majority`, `BM25`, `size only`), fitted on the same train set."""
        ...

    def search_space(self, trial: Any) -> dict[str, Any]:
        """Parameters for one trial of optuna."""
        ...
