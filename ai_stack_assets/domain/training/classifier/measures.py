"""How good a classifier is on examples: accuracy, macro-F1, slices, and what it mixes up. Nothing is fitted here.

Macro-F1 is the mean over the classes that are among the examples, the rare ones as much as the large; a class that the model
never saw has F1 = 0. Methods of one object have one answer, so examples are not independent: an interval over methods is too
narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.evaluation.slices import slices

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

METRIC = "macro_f1"
SHOWN = 20
"""Classes and confusions in a picture."""


def f1(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """float64 [classes], NaN for a class that is not among the truth. Both: numbers of classes."""
    import numpy as np

    support = np.bincount(truth, minlength=classes)
    total = support + np.bincount(found, minlength=classes)
    hits = np.bincount(truth[truth == found], minlength=classes)
    return np.where(support > 0, 2 * hits / np.maximum(total, 1), np.nan)


def macro_f1(truth: np.ndarray, found: np.ndarray, classes: int) -> float:
    import numpy as np

    return float(np.nanmean(f1(truth, found, classes))) if len(truth) else float("nan")


def quality(truth: Sequence[str], found: Sequence[str], prefix: str = "") -> dict[str, float]:
    """`accuracy` and `macro_f1`."""
    _, a, b = _numbered(truth, found)
    return {
        f"{prefix}accuracy": float((a == b).mean()) if len(a) else float("nan"),
        f"{prefix}{METRIC}": macro_f1(a, b, int(max(a.max(initial=0), b.max(initial=0))) + 1),
    }


def evaluation(
    rows: pa.Table, truth: Sequence[str], found: Sequence[str], more: Mapping[str, float] | None = None
) -> Evaluation:
    """Of the subsystems found for some examples.

    Args:
        more: further metrics.
    """
    names, a, b = _numbered(truth, found)

    def score(sample: np.ndarray) -> float:
        return macro_f1(a[sample], b[sample], len(names))

    return Evaluation(
        metrics={**quality(truth, found), **(more or {})},
        score=score,
        rows=len(a),
        slices=slices(rows, METRIC, score),
        pictures={
            "Subsystems that are found worst": _worst(names, a, b),
            "What is taken for what": _confusions(names, a, b),
        },
    )


def calibration_error(score: np.ndarray, is_right: np.ndarray, bins: int = 10) -> float:
    """Mean distance of the score from the share that is right, over equal bins of the score (Guo et al., 2017)."""
    import numpy as np

    if not len(score):
        return float("nan")
    bin_ = np.minimum((score * bins).astype(int), bins - 1)
    gap = np.bincount(bin_, score - is_right, minlength=bins)
    return float(np.abs(gap).sum() / len(score))


def _numbered(truth: Sequence[str], found: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    import numpy as np

    names = sorted(set(truth) | set(found))
    number = {name: i for i, name in enumerate(names)}
    a, b = (np.fromiter((number[n] for n in each), np.int64, len(each)) for each in (truth, found))
    return names, a, b


def _worst(names: Sequence[str], a: np.ndarray, b: np.ndarray) -> str:
    import numpy as np

    each, support = f1(a, b, len(names)), np.bincount(a, minlength=len(names))
    lines = ["| subsystem | methods | F1 |", "| --- | ---: | ---: |"]
    order = sorted(np.flatnonzero(support), key=lambda i: (each[i], -support[i]))
    return "\n".join(lines + [f"| {names[i]} | {support[i]} | {each[i]:.2f} |" for i in order[:SHOWN]])


def _confusions(names: Sequence[str], a: np.ndarray, b: np.ndarray) -> str:
    import numpy as np

    pairs, counts = np.unique(np.stack([a, b])[:, a != b], axis=1, return_counts=True)
    lines = ["| is | found | methods |", "| --- | --- | ---: |"]
    order = np.argsort(-counts, kind="stable")[:SHOWN]
    return "\n".join(
        lines + [f"| {names[pairs[0, i]]} | {names[pairs[1, i]]} | {counts[i]} |" for i in order]
    )
