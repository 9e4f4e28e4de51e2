"""How well risks order what changed before what did not. Size alone is a good guess, so it stands beside every number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.charts import table
from ai_stack_assets.domain.training.change_risk.columns import LABEL, SNAPSHOT
from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.evaluation.slices import COLUMNS, slices

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SIZE = "lines"
SLICES = (*COLUMNS, SNAPSHOT)
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3)
"""Of the methods that somebody has the time to review."""
REVIEWED = 0.05


def evaluation(risk: np.ndarray, examples: pa.Table) -> Evaluation:
    """Area under the ROC curve (the metric), average precision, precision among the 5 % at most risk, share that changed."""
    import numpy as np

    changed = examples[LABEL].to_numpy(zero_copy_only=False).astype(float)
    score = AucOf(risk, changed)
    order = np.argsort(-risk, kind="stable")
    metrics = {
        "auc": score(np.arange(len(risk))),
        "average_precision": _average_precision(changed[order]),
        "precision_at_5": float(changed[order][: max(1, round(REVIEWED * len(order)))].mean()),
        "changed_share": float(changed.mean()),
    }
    size = examples[SIZE].to_numpy().astype(float)
    pictures = {"Review queue": _queue(changed[order], changed[np.argsort(-size, kind="stable")])}
    return Evaluation(metrics, score, len(risk), slices(examples, "auc", score, SLICES), pictures)


class AucOf:
    """AUC of risks over a resample. Ties count half. Sorted once, so that a resample costs a few passes over the examples."""

    def __init__(self, risk: np.ndarray, changed: np.ndarray) -> None:
        import numpy as np

        levels, self._level = np.unique(risk, return_inverse=True)
        self._levels, self._changed = len(levels), changed

    def __call__(self, indices: np.ndarray) -> float:
        import numpy as np

        changed, level = self._changed[indices], self._level[indices]
        positive = np.bincount(level, changed, self._levels)
        negative = np.bincount(level, 1 - changed, self._levels)
        pairs = positive.sum() * negative.sum()
        below = np.cumsum(negative) - negative / 2
        return float((positive * below).sum() / pairs) if pairs else float("nan")


def _average_precision(changed: np.ndarray) -> float:
    """Of labels in the order of falling risk."""
    import numpy as np

    hits = np.cumsum(changed)
    total = hits[-1] if len(hits) else 0
    return float((hits / np.arange(1, len(hits) + 1) * changed).sum() / total) if total else float("nan")


def _queue(changed: np.ndarray, by_size: np.ndarray) -> str:
    """What somebody finds who reviews the first part of the queue, and what the largest methods would have given."""
    rows = []
    for share in SHARES:
        first = max(1, round(share * len(changed)))
        rows.append(
            [
                f"{share:.0%}",
                first,
                f"{changed[:first].mean():.1%}",
                f"{by_size[:first].mean():.1%}",
                f"{changed[:first].sum() / max(changed.sum(), 1):.1%}",
                f"{by_size[:first].sum() / max(changed.sum(), 1):.1%}",
            ]
        )
    columns = ["reviewed", "methods", "of them changed", "largest first", "of all changed", "largest first "]
    return table(columns, rows)
