"""How close expectations are to the real complexities, and what a person looks at beside the numbers. Nothing is fitted here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.charts import table
from ai_stack_assets.domain.training.contract import Evaluation

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SLICES = ("configuration", "module_type")
LEAST_ROWS = 30
"""Of a slice: fewer tell nothing."""
SHOWN = 15
TENTHS = 10


def evaluation(expected: np.ndarray, examples: pa.Table) -> Evaluation:
    """R² (the metric), Spearman's rank correlation and mean absolute error of expectations, on the scale of the logarithm."""
    import numpy as np
    from scipy.stats import spearmanr

    real = examples["target"].to_numpy()

    def score(indices: np.ndarray) -> float:
        return r2(expected[indices], real[indices])

    ranks = float(spearmanr(expected, real)[0]) if np.ptp(expected) > 0 else 0.0
    metrics = {
        "r2": r2(expected, real),
        "spearman": ranks,
        "mae": float(np.abs(expected - real).mean()),
    }
    pictures = {
        "Expected and real complexity": _tenths(expected, real),
        "More complex than expected": _furthest(expected, examples),
    }
    return Evaluation(metrics, score, len(real), slices(examples, "r2", score), pictures)


def r2(expected: np.ndarray, real: np.ndarray) -> float:
    """Share of the variance that is explained; not a number when there is none."""
    spread = float(((real - real.mean()) ** 2).sum())
    return 1 - float(((real - expected) ** 2).sum()) / spread if spread > 0 else float("nan")


def slices(
    examples: pa.Table, metric: str, score: Callable[[np.ndarray], float], columns: tuple[str, ...] = SLICES
) -> Mapping[str, Mapping[str, float]]:
    """`column=value` → the metric and `rows`; slices that are too small, or on which it is not defined, are left out."""
    import numpy as np

    found = {}
    for column in columns:
        values = np.array(examples[column].to_pylist(), object)
        for value in sorted(set(values)):
            indices = np.flatnonzero(values == value)
            if len(indices) >= LEAST_ROWS and np.isfinite(number := score(indices)):
                found[f"{column}={value}"] = {metric: number, "rows": len(indices)}
    return found


def _tenths(expected: np.ndarray, real: np.ndarray) -> str:
    """A calibration table: the methods in ten parts by what was expected of them."""
    import numpy as np

    parts = np.array_split(np.argsort(expected, kind="stable"), TENTHS)
    rows = [
        [
            f"{i + 1}",
            f"{np.expm1(expected[part].mean()):.1f}",
            f"{np.expm1(real[part].mean()):.1f}",
            f"{np.expm1(np.median(real[part])):.0f}",
            f"{np.expm1(np.quantile(real[part], 0.9)):.0f}",
        ]
        for i, part in enumerate(parts)
        if len(part)
    ]
    return table(["tenth", "expected", "real, geometric mean", "median", "90 % are below"], rows)


def _furthest(expected: np.ndarray, examples: pa.Table) -> str:
    import numpy as np

    residual = examples["target"].to_numpy() - expected
    top = np.argsort(-residual, kind="stable")[:SHOWN]
    rows = [
        [row["object"], row["method_name"], row["cyclomatic"], f"{np.expm1(expected[i]):.1f}"]
        for i, row in zip(top, examples.take(top).to_pylist(), strict=True)
    ]
    return table(["object", "method", "cyclomatic", "expected"], rows)
