"""The smallest task for tests of the stage: how many lines a method has, guessed from nothing, as well or badly as a test likes.

Its modules beside give it the names of the real tasks.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Evaluation, Sets

METRIC = "closeness"
PARAMETERS = {"offset": 0.0, "epochs": 4, "fails": False, "dies": False, "disk_is_full": False}
CODE_VERSION = "1"
REQUIREMENTS = ("numpy",)
CARD = {"purpose": "Shows what the stage does.", "target": "Lines of a method.", "limits": "Knows nothing."}


class Lines:
    def __init__(self, guess: float, disk_is_full: bool = False) -> None:
        self.guess, self.disk_is_full = guess, disk_is_full

    def predict(self, rows: pa.Table) -> pa.Table:
        return pa.table({"expected_lines": pa.array(np.full(rows.num_rows, self.guess))})

    def save(self, folder: Path) -> None:
        if self.disk_is_full:
            raise OSError(28, "No space left on device")
        (folder / "guess.json").write_text(json.dumps(self.guess))


def prepare(rows: pa.Table) -> pa.Table:
    return rows


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] = print,
) -> Lines:
    """An epoch after the other; `dies`: in the middle, killed, unless it goes on from a checkpoint."""
    if parameters["fails"]:
        raise PermanentError("this fit fails")
    file = checkpoint and checkpoint / "epoch"
    first = int(file.read_text()) if file and file.exists() else 0
    for epoch in range(first, parameters["epochs"]):
        progress(f"epoch {epoch}")
        if file:
            file.write_text(str(epoch + 1))
        if parameters["dies"] and first == 0 and epoch == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    mean = float(np.mean(sets.train["lines"].to_numpy()))
    return Lines(mean + parameters["offset"], parameters["disk_is_full"])


def load(folder: Path) -> Lines:
    try:
        return Lines(float(json.loads((folder / "guess.json").read_text())))
    except (OSError, ValueError) as error:
        raise PermanentError(f"{folder / 'guess.json'} is damaged: {error}") from error


def evaluate(model: Lines, examples: pa.Table, *, seed: int) -> Evaluation:
    close = 1 / (1 + np.abs(examples["lines"].to_numpy() - model.guess))
    return Evaluation(
        metrics={METRIC: float(close.mean()), "closeness_to_ten": 1 / (1 + abs(model.guess - 10))},
        score=lambda sample: float(close[sample].mean()),
        rows=examples.num_rows,
        pictures={"Guess": f"All methods have **{model.guess:.1f}** lines."},
    )


def baselines(sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
    return {"a thousand": evaluate(Lines(1000), examples, seed=seed)}


def search_space(trial: Any) -> dict[str, Any]:
    return {"offset": trial.suggest_float("offset", -1.0, 1.0)}
