"""Components of alike sets: the exact join over all sets, in slices of the hash space that fit into memory, in threads.

Threads work on copies of the forest, so no order of events can lose or invent a link; compiled code holds no GIL, and numba's own
threads, which do not survive a fork, are not used.
"""

from __future__ import annotations

import itertools
from concurrent.futures import Executor, ThreadPoolExecutor
from fractions import Fraction

import numpy as np

from ai_stack_assets.domain.dataset.dedupe import join
from ai_stack_assets.domain.dataset.dedupe.sets import Sets

_ENTRY_BYTES = 40
"""Of a prefix shingle, with what sorting it takes."""
_TASKS = 32
_MOST_PASSES = 64
"""Each pass reads all sets again: less memory than this leaves is not worth its time."""


class Joiner:
    """Sets with what comparing them needs, and which are connected so far."""

    def __init__(self, sets: Sets, *, threads: int = 2, limit_bytes: int = 1 << 40) -> None:
        """Args: threads: that compare. limit_bytes: of the index in memory; more takes more passes."""
        n = len(sets.offsets) - 1
        self.sets, self._threads, self._limit = sets, threads, limit_bytes
        self.maps = np.zeros((n, join.MAP_WORDS), np.uint64)
        self.passes = 0

    def components(self, threshold: float) -> np.ndarray:
        """int32 per set: the lowest set of its component, where all with J >= threshold are connected."""
        fraction = Fraction(threshold).limit_denominator(1000)
        sets = self.sets
        parent = np.arange(len(sets.offsets) - 1, dtype=np.int32)
        lengths = sets.sizes + (-fraction.numerator * sets.sizes.astype(np.int64) // fraction.denominator) + 1
        self.passes = min(max(1, -(-int(lengths.sum()) * _ENTRY_BYTES // self._limit)), _MOST_PASSES)
        with ThreadPoolExecutor(self._threads) as pool:
            table = self._counts(pool)
            step = (1 << 64) // self.passes + 1
            for low in range(0, 1 << 64, step):
                parts = self._prefixes(pool, table, lengths, fraction, low, min(low + step, 1 << 64) - 1)
                self._link(pool, parts, parent, fraction)
        return _roots(parent)

    def _counts(self, pool: Executor) -> np.ndarray:
        """How many sets hold a shingle, by its high bits: four slots a shingle while memory allows."""
        values = self.sets.values
        room = min(4 * len(values), self._limit // 2)
        table = np.zeros(1 << min(max(room.bit_length(), 12), 27), np.uint16)
        list(pool.map(lambda part: join.count(values, part, self._threads, table), range(self._threads)))
        return table

    def _prefixes(
        self, pool: Executor, table: np.ndarray, lengths: np.ndarray, fraction: Fraction, low: int, high: int
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Keys, sets and places of the range, by task, in no order."""
        sets = self.sets
        ends = np.linspace(0, len(lengths), _TASKS // 2 + 1).astype(int).tolist()
        shift = np.uint64(max(high - low, 1).bit_length() - 5)

        def of(first: int, last: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            room = int(lengths[first:last].sum())
            keys, owners, places = (
                np.empty(room, np.uint64),
                np.empty(room, np.int32),
                np.empty(room, np.int32),
            )
            bounds = np.uint64(low), np.uint64(high)
            used = join.prefixes(
                sets.values, sets.offsets, first, last, table, *fraction.as_integer_ratio(), *bounds,
                self.maps, keys, owners, places,
            )  # fmt: skip
            tasks = ((keys[:used] - bounds[0]) >> shift).astype(np.uint8)
            order = np.argsort(tasks, kind="stable")
            cuts = np.searchsorted(tasks[order], np.arange(_TASKS + 1))
            entries = keys[:used][order], owners[:used][order], places[:used][order]
            return [(entries[0][a:b], entries[1][a:b], entries[2][a:b]) for a, b in itertools.pairwise(cuts)]

        slices = list(pool.map(of, ends, ends[1:]))
        return [
            tuple(map(np.concatenate, zip(*(s[task] for s in slices), strict=True))) for task in range(_TASKS)
        ]

    def _link(self, pool: Executor, parts: list, parent: np.ndarray, fraction: Fraction) -> None:
        def linked(part: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
            keys, owners, places = part
            order = np.argsort(keys)
            own = parent.copy()
            join.link(
                keys[order], owners[order], places[order], self.sets.values,
                self.sets.offsets, self.maps, own, *fraction.as_integer_ratio(),
            )  # fmt: skip
            return own

        for own in pool.map(linked, parts):
            join.merge(parent, own)


def _roots(parent: np.ndarray) -> np.ndarray:
    """Each set's lowest connected one: parents are never above their children."""
    while True:
        up = parent[parent]
        if np.array_equal(up, parent):
            return up
        parent = up
