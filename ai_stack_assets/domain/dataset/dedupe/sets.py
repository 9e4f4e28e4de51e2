"""All shingle sets of a dataset: equal ones once, in memory or, beyond a limit, in a file that the system pages in and out."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from ai_stack_assets.domain.dataset.dedupe.shingles import Shingled, shingle

if TYPE_CHECKING:
    import pyarrow as pa

_GROWTH = 8 << 20
"""Values that the store in memory grows by: 64 MB, so no more than that is ever taken in vain."""


class Sets(NamedTuple):
    """Distinct shingle sets, and which one each text has."""

    values: np.ndarray
    """uint64, set after set, each ascending; a memory map when it was too much for memory."""
    offsets: np.ndarray
    """int64 [sets + 1] into `values`."""
    of_text: np.ndarray
    """int32 per text: its set, -1 when it has no tokens."""
    skeletons: np.ndarray
    """uint64 per text, see `Shingled`."""
    tokens: np.ndarray
    """int32 per text."""
    spilled_bytes: int

    @property
    def sizes(self) -> np.ndarray:
        """int32 per set."""
        return np.diff(self.offsets).astype(np.int32)

    def select(self, texts: np.ndarray) -> Sets:
        """The sets of some texts, in memory."""
        numbers = self.of_text[texts]
        used = np.unique(numbers[numbers >= 0])
        sizes = self.sizes[used].astype(np.int64)
        offsets = np.append(0, np.cumsum(sizes))
        # of each value: where its set begins here, and where it begins there
        values = self.values[np.arange(offsets[-1]) + np.repeat(self.offsets[used] - offsets[:-1], sizes)]
        of_text = np.where(numbers >= 0, np.searchsorted(used, numbers), -1).astype(np.int32)
        return Sets(values, offsets, of_text, self.skeletons[texts], self.tokens[texts], 0)


@njit(cache=True, nogil=True)
def _claim(slots, known, count, keys, sizes, values, of_text):
    """Give each text of a batch the number of its set, new or known; move the values of new sets together.

    Args:
        slots: int32 open hash table of set numbers plus 1; its size is a power of two.
        known: uint64 [capacity, 2], keys by set number, filled on.
        of_text: int32, filled.

    Returns:
        Sets so far, and how many of `values` are of new sets.
    """
    mask = np.uint64(len(slots) - 1)
    read = kept = 0
    for i in range(len(sizes)):
        size = sizes[i]
        of_text[i] = -1
        if size:
            slot = keys[i, 0] & mask
            while slots[slot] and (
                known[slots[slot] - 1, 0] != keys[i, 0] or known[slots[slot] - 1, 1] != keys[i, 1]
            ):
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] == 0:
                known[count] = keys[i]
                count += 1
                slots[slot] = count
                for k in range(size):
                    values[kept + k] = values[read + k]
                kept += size
            of_text[i] = slots[slot] - 1
        read += size
    return count, kept


@njit(cache=True, nogil=True)
def _rehash(slots, known, count):
    mask = np.uint64(len(slots) - 1)
    for i in range(count):
        slot = known[i, 0] & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = i + 1


class _Store:
    """Values in a growing array; in a file from the moment that they would exceed the limit."""

    def __init__(self, limit_bytes: int, folder: Path | None) -> None:
        self._limit, self._folder = limit_bytes, folder
        self._array, self._used = np.empty(0, np.uint64), 0
        self._file: Any = None

    def append(self, values: np.ndarray) -> None:
        end = self._used + len(values)
        if self._file is None and end * 8 > self._limit:
            # unlinked at once: nothing is left behind even by a kill
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="shingles-")  # noqa: SIM115
            self._array[: self._used].tofile(self._file)
            self._array = np.empty(0, np.uint64)
        if self._file is not None:
            values.tofile(self._file)
        else:
            if end > len(self._array):
                # grows in place where the system can remap: no copy, no peak
                self._array.resize(end + _GROWTH, refcheck=False)
            self._array[self._used : end] = values
        self._used = end

    def close(self) -> tuple[np.ndarray, int]:
        """All values and the bytes of them that lie in a file."""
        if self._file is None:
            self._array.resize(self._used, refcheck=False)
            return self._array, 0
        self._file.flush()
        mapped = np.memmap(self._file, np.uint64, "r+", shape=(self._used,))
        return mapped.view(np.ndarray), self._used * 8


def collect(
    codes: Iterable[pa.Array], *, threads: int = 2, limit_bytes: int = 1 << 40, folder: Path | None = None
) -> Sets:
    """The sets of all texts.

    Args:
        codes: batches of texts, Arrow strings; read once, a few batches ahead.
        limit_bytes: of values in memory; what exceeds it goes to a file in `folder` (default: the system's).
    """
    store = _Store(limit_bytes, folder)
    slots, known, count = np.zeros(1 << 12, np.int32), np.empty((1 << 11, 2), np.uint64), 0
    sizes, of_text, skeletons, tokens = [], [], [], []
    for batch in _ahead(codes, threads):
        if count + len(batch.sizes) > len(known):
            while len(known) < count + len(batch.sizes):
                known = np.concatenate([known, np.empty_like(known)])
            slots = np.zeros(2 * len(known), np.int32)
            _rehash(slots, known, count)
        numbers = np.empty(len(batch.sizes), np.int32)
        before = count
        count, kept = _claim(slots, known, count, batch.keys, batch.sizes, batch.values, numbers)
        store.append(batch.values[:kept])
        first = np.unique(numbers, return_index=True)
        sizes.append(batch.sizes[first[1][first[0] >= before]])
        of_text.append(numbers)
        skeletons.append(batch.skeletons)
        tokens.append(batch.tokens)
    values, spilled = store.close()
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(_joined(sizes, np.int32), out=offsets[1:])
    parts = (_joined(of_text, np.int32), _joined(skeletons, np.uint64), _joined(tokens, np.int32))
    return Sets(values, offsets, *parts, spilled)


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _ahead(codes: Iterable[pa.Array], threads: int) -> Iterator[Shingled]:
    """Shingle batches in threads, in order, never more than a few of them in memory."""
    waiting: deque[Future[Shingled]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in codes:
            waiting.append(pool.submit(shingle, batch))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
