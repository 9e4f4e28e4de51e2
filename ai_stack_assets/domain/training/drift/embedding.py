"""How far vectors have moved: the distance of their means, and the maximum mean discrepancy. Not what makes the vectors.

Gretton, Borgwardt, Rasch, Schölkopf, Smola, A Kernel Two-Sample Test, 2012: Gaussian kernel, median heuristic, permutation test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import numpy as np

PERMUTATIONS = 200


@dataclass(frozen=True)
class EmbeddingDrift:
    """`mean_shift`: in units of the reference's spread. `mmd`: 0 to 1. `p`: of the latter when nothing moved."""

    vectors: str
    """What made them: `champion 7`, `LSA`."""
    rows: int
    """Of each side."""
    mean_shift: float
    mmd: float
    p: float


def compare(reference: np.ndarray, current: np.ndarray, *, name: str, rows: int, seed: int) -> EmbeddingDrift:
    """Of at most `rows` vectors of each side, equally many.

    Args:
        reference, current: float [n, d] and [m, d].

    Raises:
        PermanentError: the vectors are of different length, or there are fewer than two.
    """
    import numpy as np

    if reference.shape[1:] != current.shape[1:]:
        raise PermanentError(
            f"vectors of {reference.shape[1:]} and {current.shape[1:]} numbers cannot be compared"
        )
    count = min(rows, len(reference), len(current))
    if count < 2:
        raise PermanentError(f"{count} vectors cannot be compared: two of each side are needed")
    random = np.random.default_rng(seed)
    first, second = (
        side[np.sort(random.choice(len(side), count, replace=False))].astype(np.float64)
        for side in (reference, current)
    )
    spreads = [((side - side.mean(axis=0)) ** 2).sum(axis=1).mean() for side in (first, second)]
    apart = ((second.mean(axis=0) - first.mean(axis=0)) ** 2).sum()
    # two samples of the same are this far apart: it is no shift
    apart = max(apart - sum(spreads) / count, 0.0)
    mmd, p = _mmd(first, second, random)
    return EmbeddingDrift(name, count, float(np.sqrt(apart / (spreads[0] or 1.0))), mmd, p)


def _mmd(first: np.ndarray, second: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """Unbiased estimate (0 when below), and the share of permutations that separate as well."""
    import numpy as np

    count, both = len(first), np.concatenate([first, second])
    squares = (both**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * both @ both.T, 0)
    apart = distances[np.triu_indices(len(both), 1)]
    kernel = np.exp(-distances / (np.median(apart) or 1.0))
    np.fill_diagonal(kernel, 0)
    signs = np.where(np.arange(2 * count) < count, 1.0, -1.0)
    tried = np.stack([signs, *(random.permutation(signs) for _ in range(PERMUTATIONS))], axis=1)
    within = (tried * (kernel @ tried)).sum(axis=0)
    total = kernel.sum()
    # pairs on the same side less pairs across; the two kinds have different numbers of terms
    same, across = (total + within) / 2, (total - within) / 2
    values = same / (count * (count - 1)) - across / (count * count)
    return float(np.sqrt(max(values[0], 0.0))), float((values[1:] >= values[0]).mean())
