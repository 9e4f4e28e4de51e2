"""How a registered model loads where nothing of this project is installed: MLflow calls `_load_pyfunc`. Shipped with each model.

Imports only what a served model has: Python, pyarrow, the task's module and what that requires.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENTRY, INPUTS, MODEL = "serving.json", "inputs.arrow", "model"


class Served:
    """`predict`: a data frame with the columns of the model's signature in, one with the task's columns out, row by row."""

    def __init__(
        self, model: Any, inputs: pa.Schema, prepare: Callable[[pa.Table], pa.Table] | None = None
    ) -> None:
        self.model, self.inputs, self.prepare = model, inputs, prepare

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        import pyarrow as pa

        columns = [
            pa.array(frame[field.name], field.type, from_pandas=True)
            if field.name in frame
            else pa.nulls(len(frame), field.type)
            for field in self.inputs
        ]
        rows = pa.table(columns, schema=self.inputs)
        return self.model.predict(self.prepare(rows) if self.prepare else rows).to_pandas()


def _load_pyfunc(path: str) -> Served:
    """`path`: what `packaging` wrote. Raises what the task's `load` raises, for damaged files."""
    import pyarrow as pa

    folder = Path(path)
    entry = json.loads((folder / ENTRY).read_text(encoding="utf-8"))
    model = importlib.import_module(entry["task"]).load(folder / MODEL)
    inputs = pa.ipc.read_schema(pa.py_buffer((folder / INPUTS).read_bytes()))
    return Served(model, inputs, _function(entry["prepare"]) if entry["prepare"] else None)


def _function(place: str) -> Callable[[pa.Table], pa.Table]:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
