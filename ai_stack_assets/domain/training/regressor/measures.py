"""How close expectations are to the real complexities, and what a person looks at beside the numbers. Nothing is fitted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.charts import table
from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.evaluation.slices import slices

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

METRIC = "r2_by_family"
LARGEST = 0.05
"""Share of the methods that one family counts for at most. Families are what is drawn, methods of one are alike: where one fills
a fifth of a test set, plain R² tells of it, not of the next configuration. Decided after such a test set had been seen (394
wrappers of one web service, R² 0.08 with them and 0.28 without), so plain `r2` always stands beside it."""
SHOWN = 15
TENTHS = 10


def evaluation(expected: np.ndarray, examples: pa.Table, **others: np.ndarray) -> Evaluation:
    """R², Spearman's rank correlation and mean absolute error of expectations, on the scale of the logarithm: every method counts
    the same. `…_by_family` (`METRIC` among them): no family counts for more than `LARGEST` of the methods.

    Args:
        others: further expectations: `in_module=…` gives `r2_in_module`.
    """
    import numpy as np

    real, weights = examples["target"].to_numpy(), family_weights(examples["family"].to_pylist())
    same = np.ones(len(real))

    def score(indices: np.ndarray) -> float:
        return r2(expected[indices], real[indices], weights[indices])

    metrics = {
        METRIC: r2(expected, real, weights),
        "r2": r2(expected, real, same),
        "spearman": spearman(expected, real, same),
        "spearman_by_family": spearman(expected, real, weights),
        "mae": float(np.abs(expected - real).mean()),
    }
    metrics |= {f"r2_{name}": r2(other, real, same) for name, other in others.items()}
    pictures = {
        "Expected and real complexity": _tenths(expected, real),
        "More complex than expected": _furthest(expected, examples),
    }
    return Evaluation(metrics, score, len(real), slices(examples, METRIC, score), pictures)


def family_weights(families: Sequence[str]) -> np.ndarray:
    """1 for a method of a family that is small enough, less for one of a larger family."""
    import numpy as np

    sizes = Counter(families)
    most = LARGEST * len(families)
    return np.array([min(1.0, most / sizes[family]) for family in families])


def r2(expected: np.ndarray, real: np.ndarray, weights: np.ndarray) -> float:
    """Share of the variance that is explained; not a number when there is none."""
    import numpy as np

    spread = float((weights * (real - np.average(real, weights=weights)) ** 2).sum())
    return 1 - float((weights * (real - expected) ** 2).sum()) / spread if spread > 0 else float("nan")


def spearman(expected: np.ndarray, real: np.ndarray, weights: np.ndarray) -> float:
    """Correlation of the ranks; 0 when all expectations are the same."""
    import numpy as np
    from scipy.stats import rankdata

    if np.ptp(expected) == 0 or np.ptp(real) == 0:
        return 0.0
    covariance = np.cov(rankdata(expected), rankdata(real), aweights=weights)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


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
