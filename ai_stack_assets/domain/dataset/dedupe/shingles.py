"""Texts as sets of token 5-grams: sorted 64-bit hashes, a batch of texts at a time. Compiled, holds no GIL.

A text of fewer than five tokens is one shingle of all it has, so it equals only what has the same tokens. A text without
tokens has no shingles and equals nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from ai_stack_assets.domain.dataset.dedupe.tokens import KEYWORD, OTHER, keyword_table, mix, scan

if TYPE_CHECKING:
    import pyarrow as pa

SHINGLE = 5
"""Tokens in a shingle."""

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Shingled(NamedTuple):
    """Sets of a batch of texts."""

    values: np.ndarray
    """uint64, the sets one after another, each ascending and without repetition."""
    sizes: np.ndarray
    """int32 per text."""
    keys: np.ndarray
    """uint64 [texts, 2]: equal for equal sets, and for no others but by a collision of 128 bits."""
    skeletons: np.ndarray
    """uint64 per text: equal when only identifiers and literals differ, and those consistently."""
    tokens: np.ndarray
    """int32 per text."""


@njit(cache=True, nogil=True)
def _roll(hashes, n, out):
    """Shingles of `n` token hashes into `out`, in order of the text. Returns their number."""
    width = min(n, SHINGLE)
    if width == 0:
        return 0
    top = np.uint64(1)
    for _ in range(width - 1):
        top *= _STEP
    h = np.uint64(0)
    for i in range(n):
        if i >= width:
            h -= hashes[i - width] * top
        h = h * _STEP + hashes[i]
        if i >= width - 1:
            out[i - width + 1] = mix(h + np.uint64(width))
    return n - width + 1


@njit(cache=True, nogil=True)
def _sorted_set(values, n):
    """Sort `values[:n]` and drop repetitions, in place. Returns how many are left."""
    values[:n].sort()
    kept = min(n, 1)
    for i in range(1, n):
        if values[i] != values[i - 1]:
            values[kept] = values[i]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _skeleton(hashes, kinds, n, names, places):
    """Hash of the tokens with identifiers and strings replaced by the order of their first appearance.

    `names` and `places` are an open hash table, empty (0) before and after; its size is a power of two above `n`.
    """
    mask = np.uint64(len(names) - 1)
    h, seen = np.uint64(n), 0
    for i in range(n):
        token = hashes[i]
        if kinds[i] != KEYWORD and kinds[i] != OTHER:
            slot = token & mask
            while names[slot] != 0 and names[slot] != token:
                slot = (slot + np.uint64(1)) & mask
            if names[slot] == 0:
                seen += 1
                names[slot], places[slot] = token, seen
            token = np.uint64(places[slot])
        h = mix(h * _STEP + token)
    for i in range(n):
        if kinds[i] != KEYWORD and kinds[i] != OTHER:
            slot = hashes[i] & mask
            while names[slot] != 0:
                names[slot] = 0
                slot = (slot + np.uint64(1)) & mask
    return h


@njit(cache=True, nogil=True)
def _shingle(data, offsets, keywords, values, sizes, keys, skeletons, tokens):
    longest = 0
    for i in range(len(sizes)):
        longest = max(longest, offsets[i + 1] - offsets[i])
    hashes, kinds = np.empty(longest + 1, np.uint64), np.empty(longest + 1, np.uint8)
    slots = 16
    while slots <= 2 * longest:
        slots *= 2
    names, places = np.zeros(slots, np.uint64), np.empty(slots, np.int32)
    at = 0
    for i in range(len(sizes)):
        n = scan(data, offsets[i], offsets[i + 1], keywords, hashes, kinds)
        tokens[i] = n
        slots = 16
        while slots <= 2 * n:
            slots *= 2
        skeletons[i] = _skeleton(hashes, kinds, n, names[:slots], places)
        sizes[i] = _sorted_set(values[at:], _roll(hashes, n, values[at:]))
        low = high = np.uint64(sizes[i])
        for v in values[at : at + sizes[i]]:
            low += mix(v + _STEP)
            high = mix(high * _STEP + v)
        keys[i, 0], keys[i, 1] = mix(low), high
        at += sizes[i]
    return at


def shingle(codes: pa.Array) -> Shingled:
    """Sets of the texts of one Arrow array of strings, which are read where they lie."""
    import pyarrow as pa

    codes = codes.cast(pa.large_string())
    n = len(codes)
    _validity, offsets, data = codes.buffers()
    offsets = (
        np.frombuffer(offsets, np.int64)[codes.offset : codes.offset + n + 1] if n else np.zeros(1, np.int64)
    )
    data = np.frombuffer(data or b"", np.uint8)
    # pages that are not written are not taken from the system: a byte a token is far too much
    values = np.empty(offsets[-1] - offsets[0] + n, np.uint64)
    sizes, tokens = np.empty(n, np.int32), np.empty(n, np.int32)
    keys, skeletons = np.empty((n, 2), np.uint64), np.empty(n, np.uint64)
    used = _shingle(data, offsets, keyword_table(), values, sizes, keys, skeletons, tokens)
    return Shingled(values[:used].copy(), sizes, keys, skeletons, tokens)
