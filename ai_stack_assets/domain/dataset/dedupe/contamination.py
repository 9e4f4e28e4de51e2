"""Benchmark code that must not be trained on: which records are it, contain it, or are nearly it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numba import njit

from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks
from ai_stack_assets.domain.dataset.dedupe.sets import Sets, collect

CONTAINED = 0.8
"""Share of a benchmark text's shingles that a record must not hold."""
SHORTEST = 10
"""Shingles of a benchmark text from which being contained in a record counts; shorter ones are found by J alone."""


@njit(cache=True, nogil=True)
def _hits(values, offsets, wanted, owners, sizes, num, den, held, shortest, found):
    """Per set one of the listed that it is alike or that it contains, else -1. `wanted` ascends; `owners` are the listed sets."""
    mask = np.uint64((1 << 22) - 1)
    seen = np.zeros(1 << 22, np.bool_)
    for v in wanted:
        seen[v & mask] = True
    common, touched = np.zeros(len(sizes), np.int64), np.empty(len(sizes), np.int64)
    for s in range(len(found)):
        found[s], count, n = -1, 0, offsets[s + 1] - offsets[s]
        for v in values[offsets[s] : offsets[s + 1]]:
            if seen[v & mask]:
                k = np.searchsorted(wanted, v)
                while k < len(wanted) and wanted[k] == v:
                    if common[owners[k]] == 0:
                        touched[count] = owners[k]
                        count += 1
                    common[owners[k]] += 1
                    k += 1
        for t in touched[:count]:
            near = common[t] * (num + den) >= num * (n + sizes[t])
            inside = sizes[t] >= shortest and common[t] >= held * sizes[t]
            if near or inside:
                found[s] = t
            common[t] = 0


def nearest(sets: Sets, listed: Sets, threshold: float, *, is_containment: bool = False) -> np.ndarray:
    """Per set one of `listed` with J >= threshold, else -1; with `is_containment` also one that it contains mostly."""
    found = np.full(len(sets.offsets) - 1, -1, np.int64)
    order = np.argsort(listed.values, kind="stable")
    owners = np.repeat(np.arange(len(listed.sizes)), listed.sizes)[order]
    fraction = Fraction(threshold).limit_denominator(1000).as_integer_ratio()
    held = CONTAINED if is_containment else 2.0
    _hits(
        sets.values, sets.offsets, listed.values[order], owners, listed.sizes, *fraction, held, SHORTEST, found
    )  # fmt: skip
    return found


def contaminated(sets: Sets, content_hashes: Iterable[str], benchmarks: Benchmarks) -> np.ndarray:
    """Per record: whether it is benchmark code, nearly such, or contains some."""
    import pyarrow as pa

    found = np.array([value in benchmarks.content_hashes for value in content_hashes], bool)
    listed = collect([pa.array(benchmarks.texts, pa.string())])
    if len(listed.values):
        hit = nearest(sets, listed, benchmarks.threshold, is_containment=True) >= 0
        # the last one is for the records without tokens
        found |= np.append(hit, False)[sets.of_text]
    return found
