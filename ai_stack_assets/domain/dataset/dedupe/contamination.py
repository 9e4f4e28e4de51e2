"""Benchmark code that must not be trained on: which records are it, contain it, or are nearly it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numba import njit

from ai_stack_assets.domain.dataset.dedupe.sets import Sets, collect

CONTAINED = 0.8
"""Share of a benchmark text's shingles that a record must not hold."""
SHORTEST = 10
"""Shingles of a benchmark text from which being contained in a record counts; shorter ones are found by J alone."""


@dataclass(frozen=True)
class Benchmarks:
    """Code that others are measured with."""

    texts: tuple[str, ...] = ()
    content_hashes: frozenset[str] = frozenset()
    """As in the column `content_hash`: for code that itself is not at hand."""
    threshold: float = 0.8
    """Jaccard index from which a record is nearly a benchmark text."""


@njit(cache=True, nogil=True)
def _hits(values, offsets, wanted, owners, sizes, num, den, held, shortest, found):
    """Per set the benchmark text that it is nearly or contains, else -1. `wanted` ascends; `owners` are their texts."""
    mask = np.uint64((1 << 20) - 1)
    seen = np.zeros(1 << 20, np.bool_)
    for v in wanted:
        seen[v & mask] = True
    common = np.zeros(len(sizes), np.int64)
    for s in range(len(found)):
        found[s] = -1
        any_seen = False
        for v in values[offsets[s] : offsets[s + 1]]:
            if seen[v & mask]:
                k = np.searchsorted(wanted, v)
                while k < len(wanted) and wanted[k] == v:
                    common[owners[k]] += 1
                    any_seen = True
                    k += 1
        if any_seen:
            n = offsets[s + 1] - offsets[s]
            for t in range(len(sizes)):
                near = common[t] * (num + den) >= num * (n + sizes[t])
                inside = sizes[t] >= shortest and common[t] >= held * sizes[t]
                if found[s] < 0 and (near or inside) and common[t]:
                    found[s] = t
                common[t] = 0


def contaminated(sets: Sets, content_hashes: Iterable[str], benchmarks: Benchmarks) -> np.ndarray:
    """Per record: -1, or the number of the benchmark text that it is, contains or is nearly; a known hash counts as number 0."""
    known = benchmarks.content_hashes
    result = np.array([0 if h in known else -1 for h in content_hashes], np.int64)
    import pyarrow as pa

    listed = collect([pa.array(benchmarks.texts, pa.string())])
    wanted = listed.values
    if len(wanted):
        owners = np.repeat(np.arange(len(listed.sizes)), listed.sizes)
        order = np.argsort(wanted, kind="stable")
        found = np.empty(len(sets.offsets) - 1, np.int64)
        fraction = Fraction(benchmarks.threshold).limit_denominator(1000).as_integer_ratio()
        _hits(
            sets.values, sets.offsets, wanted[order], owners[order], listed.sizes, *fraction, CONTAINED, SHORTEST,
            found,
        )  # fmt: skip
        # equal texts share a set: the first of them stands for it
        text_of_set = np.unique(listed.of_text[listed.of_text >= 0], return_index=True)[1]
        text_of_set = np.flatnonzero(listed.of_text >= 0)[text_of_set]
        has_set = (sets.of_text >= 0) & (result < 0)
        hit = found[sets.of_text[has_set]]
        result[has_set] = np.where(hit >= 0, text_of_set[hit], -1)
    return result
