"""The smallest task that keeps the contract: is a method long? Its model is one number, as good as a test likes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Evaluation

NAME = "tiny"
METRIC = "accuracy"
PARAMETERS = {"level": 10}
CODE_VERSION = "1"
REQUIREMENTS = ("numpy",)
CARD = {
    "purpose": "Finds long methods.",
    "target": "is_long: more than 10 lines.",
    "limits": "Counts lines only.",
}


class Tiny:
    def __init__(self, level: int) -> None:
        self.level = level

    def predict(self, rows: pa.Table) -> pa.Table:
        lines = np.array(rows["lines"].to_pylist())
        words = [[str(n)] * 2 for n in lines.tolist()]
        return pa.table({"is_long": lines > self.level, "words": words})

    def save(self, folder: Path) -> None:
        (folder / "level.json").write_text(json.dumps(self.level))


def examples(rows: int = 400) -> pa.Table:
    """Lines from 1 to 20, in two modules; the name of one is Russian."""
    lines = [1 + i % 20 for i in range(rows)]
    modules = ["Общий" if i % 3 else "Форма" for i in range(rows)]
    return pa.table(
        {"lines": pa.array(lines, pa.int32()), "module": modules, "is_long": [n > 10 for n in lines]}
    )


def load(folder: Path) -> Tiny:
    try:
        return Tiny(int(json.loads((folder / "level.json").read_text())))
    except (OSError, ValueError) as error:
        raise PermanentError(f"{folder / 'level.json'} is damaged: {error}") from error


def evaluate(model: Tiny, rows: pa.Table, *, seed: int = 0) -> Evaluation:
    right = np.array(model.predict(rows)["is_long"]) == np.array(rows["is_long"])
    module = np.array(rows["module"].to_pylist())
    return Evaluation(
        metrics={METRIC: float(right.mean()), "rows_right": float(right.sum())},
        score=lambda sample: float(right[sample].mean()),
        rows=rows.num_rows,
        slices={
            f"module={name}": {
                METRIC: float(right[module == name].mean()),
                "rows": int((module == name).sum()),
            }
            for name in sorted(set(module))
        },
        pictures={"Right / wrong": "![shares](data:image/svg+xml;base64,PHN2Zy8+)"},
    )


def baselines(sets: Any, rows: pa.Table, *, seed: int = 0) -> Mapping[str, Evaluation]:
    return {"never long": evaluate(Tiny(100), rows)}
