"""How far the words of the code have moved: words that were not there before, and the frequencies of all. Lists of stems in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SHOWN = 15


@dataclass(frozen=True)
class VocabularyDrift:
    """`new_share`: of the current words. `divergence`: Jensen-Shannon, base 2, 0 to 1. Floors: of two halves of the reference."""

    new_share: float
    divergence: float
    new_share_floor: float
    divergence_floor: float
    new_terms: dict[str, int]
    """The most frequent ones, with their counts."""
    grown: dict[str, float]
    """What adds most to the divergence: change of share, as a fraction of all words."""


def compare(reference: pa.ChunkedArray, current: pa.ChunkedArray, *, seed: int) -> VocabularyDrift:
    """Of two columns of stems, `list<string>`, a list per method.

    The floors are what chance does: a rare word of one half of the reference is new to the other half. Somewhat too high:
    a half has fewer words than the whole.
    """
    import numpy as np

    terms, first, second = _counted(reference, current)
    half = np.random.default_rng(seed).permutation(len(reference))
    _, left, right = _counted(reference.take(half[::2]), reference.take(half[1::2]))
    new = np.flatnonzero((first == 0) & (second > 0))
    new = new[np.argsort(-second[new], kind="stable")][:SHOWN]
    change = second / max(second.sum(), 1) - first / max(first.sum(), 1)
    moved = np.argsort(-_terms_of_divergence(first, second), kind="stable")[:SHOWN]
    return VocabularyDrift(
        _new(first, second),
        divergence(first, second),
        _new(left, right),
        divergence(left, right),
        {terms[i]: int(second[i]) for i in new},
        {terms[i]: float(change[i]) for i in moved if change[i]},
    )


def divergence(first: np.ndarray, second: np.ndarray) -> float:
    """Jensen-Shannon, base 2 (Lin, 1991), of two arrays of counts over the same terms; 0 when either is empty."""
    return float(_terms_of_divergence(first, second).sum())


def _terms_of_divergence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    import numpy as np
    from scipy.special import rel_entr

    if not first.sum() or not second.sum():
        return np.zeros(len(first))
    a, b = first / first.sum(), second / second.sum()
    middle = (a + b) / 2
    return (rel_entr(a, middle) + rel_entr(b, middle)) / (2 * np.log(2))


def _new(first: np.ndarray, second: np.ndarray) -> float:
    return float(second[first == 0].sum() / max(second.sum(), 1))


def _counted(*columns: pa.ChunkedArray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Terms of both columns, and how often each has them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = [pc.list_flatten(column).cast(pa.string()) for column in columns]
    flat = [f.combine_chunks() if isinstance(f, pa.ChunkedArray) else f for f in flat]
    terms = pc.unique(pa.concat_arrays(flat))
    ids = [pc.index_in(f, terms).to_numpy(zero_copy_only=False) for f in flat]
    first, second = (np.bincount(i.astype(np.int64), minlength=len(terms)).astype(float) for i in ids)
    return terms.to_pylist(), first, second
