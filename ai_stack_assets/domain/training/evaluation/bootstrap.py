"""How sure one is that a model is better than another: paired bootstrap over the same examples. No thresholds here: see `gates`.

Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval). Paired: each resample scores both
models on the same examples, so what makes an example hard for both cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import numpy as np

    from ai_stack_assets.domain.training.contract import Evaluation

RESAMPLES = 1_000
CONFIDENCE = 0.95
SEED = 20_260_101


@dataclass(frozen=True)
class Comparison:
    """How much higher the first scores than the second: on the examples, and between which bounds with this confidence."""

    difference: float
    low: float
    high: float
    confidence: float = CONFIDENCE

    def __str__(self) -> str:
        return f"{self.difference:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def compare(
    first: Evaluation,
    second: Evaluation,
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = SEED,
) -> Comparison:
    """The difference of the two scores with its interval; equal arguments give equal numbers.

    Resamples on which a score is undefined (only one class among them) are left out.

    Raises:
        PermanentError: the two were not measured on the same examples, there are none, or no resample can be scored.
    """
    import numpy as np

    if first.rows != second.rows:
        raise PermanentError(
            f"compared on different examples: {first.rows} and {second.rows} rows; evaluate both on the same test set"
        )
    differences = _resampled(first, second, resamples, seed)
    differences = differences[np.isfinite(differences)]
    if not len(differences):
        raise PermanentError(f"no resample of {first.rows} examples can be scored")
    every = np.arange(first.rows)
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, (tail, 1 - tail))
    return Comparison(float(first.score(every) - second.score(every)), float(low), float(high), confidence)


def _resampled(first: Evaluation, second: Evaluation, resamples: int, seed: int) -> np.ndarray:
    import numpy as np

    if first.rows == 0:
        raise PermanentError("no examples to compare on: the test set is empty")
    random = np.random.default_rng(seed)
    differences = np.empty(resamples)
    for i in range(resamples):
        sample = random.integers(0, first.rows, first.rows)
        differences[i] = first.score(sample) - second.score(sample)
    return differences
