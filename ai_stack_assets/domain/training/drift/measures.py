"""How far a column has moved: population stability index and Kolmogorov-Smirnov. Arrays in, numbers out; no thresholds here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

BINS = 10
OTHER = "other"
_UNKNOWN = "unknown"
_CATEGORIES = 20
_SMOOTHING = 0.5
"""Added to every bin (Jeffreys): an empty one would make the index infinite."""


@dataclass(frozen=True)
class Histogram:
    """Both sides counted in the same bins."""

    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]

    def shares(self) -> tuple[list[float], list[float]]:
        first, second = sum(self.reference) or 1, sum(self.current) or 1
        return [n / first for n in self.reference], [n / second for n in self.current]


def psi(histogram: Histogram) -> tuple[float, float]:
    """Population stability index, and how probable one as large is when nothing moved.

    Without drift, PSI / (1/n + 1/m) is about chi-square with one degree of freedom less than bins (Yurdakul, Statistical
    Properties of Population Stability Index, 2018): on 200 rows the customary 0.1 is within chance.
    """
    import numpy as np
    from scipy.stats import chi2

    first, second = (np.asarray(side, float) for side in (histogram.reference, histogram.current))
    if not first.sum() or not second.sum() or len(first) < 2:
        return 0.0, 1.0
    a, b = ((side + _SMOOTHING) / (side + _SMOOTHING).sum() for side in (first, second))
    value = float(((b - a) * np.log(b / a)).sum())
    return value, float(chi2.sf(value / (1 / first.sum() + 1 / second.sum()), len(first) - 1))


def ks(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Kolmogorov-Smirnov statistic and its p value; values that are not finite are left out."""
    import numpy as np
    from scipy.stats import ks_2samp

    first, second = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if not len(first) or not len(second):
        return 0.0, 1.0
    found: Any = ks_2samp(first, second, method="asymp")
    return float(found.statistic), float(found.pvalue)


def histogram(reference: np.ndarray, current: np.ndarray) -> Histogram:
    """Of numbers: tenths of the reference; what is null or not finite has a bin of its own, when there is any."""
    import numpy as np

    inner = _edges(reference[np.isfinite(reference)])
    # a value equal to an edge belongs to the bin above
    counts = [
        np.bincount(np.searchsorted(inner, side[np.isfinite(side)], "right"), minlength=len(inner) + 1)
        for side in (reference, current)
    ]
    unknown = [int((~np.isfinite(side)).sum()) for side in (reference, current)]
    labels = _ranges([float(edge) for edge in inner])
    if any(unknown):
        labels, counts = [*labels, _UNKNOWN], [np.append(c, n) for c, n in zip(counts, unknown, strict=True)]
    return Histogram(tuple(labels), tuple(map(int, counts[0])), tuple(map(int, counts[1])))


def categories(reference: Sequence[Any], current: Sequence[Any]) -> Histogram:
    """Of texts and flags: the most frequent of both sides together, the others as one."""
    first, second = (
        Counter(_UNKNOWN if v is None else str(v) or "none" for v in side) for side in (reference, current)
    )
    shown = [
        name
        for name, _ in sorted((first + second).items(), key=lambda item: (-item[1], item[0]))[:_CATEGORIES]
    ]
    labels, sides = shown, [[counted[name] for name in shown] for counted in (first, second)]
    rest = [sum(counted.values()) - sum(side) for counted, side in zip((first, second), sides, strict=True)]
    if any(rest):
        labels, sides = [*shown, OTHER], [[*side, n] for side, n in zip(sides, rest, strict=True)]
    return Histogram(tuple(labels), tuple(sides[0]), tuple(sides[1]))


def _edges(known: np.ndarray) -> np.ndarray:
    """Inner edges of the bins. A number that a tenth of the rows or more have gets a bin for itself: counts are mostly 0."""
    import numpy as np

    if not len(known):
        return np.zeros(0)
    inner = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    frequent = [edge for edge in inner if (known == edge).mean() >= 1 / BINS]
    return np.union1d(inner, np.nextafter(frequent, np.inf)) if frequent else inner


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all"]
    # an edge right above a frequent number is shown as that number
    said = [f"{round(edge, 9):g}" for edge in edges]
    between = [a if a == b else f"{a}–{b}" for a, b in pairwise(said)]
    is_above = len(said) > 1 and said[-2] == said[-1]
    return [f"< {said[0]}", *between, f"{'>' if is_above else '≥'} {said[-1]}"]
