"""A metric on parts of the examples: per configuration, per module type. What the gates make of it is in `gates`.

Models are served with what their tasks import, so nothing is imported here that a served model does not need anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

COLUMNS = ("configuration", "module_type")
LEAST_ROWS = 30
"""Of a slice: fewer tell nothing."""


def slices(
    examples: pa.Table, metric: str, score: Callable[[np.ndarray], float], columns: Sequence[str] = COLUMNS
) -> dict[str, dict[str, float]]:
    """`column=value` → the metric and `rows`; slices that are too small, or on which it is not defined, are left out.

    Args:
        score: the metric of rows by their numbers, as in `contract.Evaluation`.
    """
    import numpy as np

    found = {}
    for column in columns:
        values = np.array(examples[column].to_pylist(), object)
        for value in sorted(set(values.tolist())):
            indices = np.flatnonzero(values == value)
            if len(indices) >= LEAST_ROWS and np.isfinite(number := score(indices)):
                found[f"{column}={value}"] = {metric: number, "rows": len(indices)}
    return found
