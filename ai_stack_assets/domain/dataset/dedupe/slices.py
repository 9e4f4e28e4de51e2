"""The exact join cut for many machines: pure functions from a part of the texts to slices, from a slice to links. No engine here.

    part of texts ─shingle─► sets ─count─► table of counts   (summed over all parts)
                              │
                              └─cut─► slices by prefix shingle: equal shingles of all parts meet in one slice
    slice ─link─► pairs of sets that are connected           ─► connected components of all links (scipy)

Each slice holds a set once with all its prefix shingles that fall into it (Vernica et al. 2010, a shingle range for a token), so
what travels is the sets times the slices they touch, never pairs of texts. The filters and the comparison are those of `join`:
the components are the same as on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ai_stack_assets.domain.dataset.dedupe import join
from ai_stack_assets.domain.dataset.dedupe.shingles import shingle

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_BITS = 24
"""Counts by the high bits of a shingle: 32 MB. More parts make more collisions, which cost comparisons and lose nothing."""


class PartSets(NamedTuple):
    """Distinct sets of one part of the texts."""

    values: np.ndarray
    offsets: np.ndarray
    of_text: np.ndarray
    """int32 per text: its set in this part, -1 when it has no tokens."""


class Slice(NamedTuple):
    """What one part sends to one range of shingles."""

    keys: np.ndarray
    """uint64, prefix shingles of the range."""
    owners: np.ndarray
    """int32, position in `numbers`."""
    places: np.ndarray
    """int32, rank of the shingle in its set's order."""
    numbers: np.ndarray
    """int64, global numbers of the sets that follow."""
    values: np.ndarray
    offsets: np.ndarray
    maps: np.ndarray


def part_sets(codes: pa.Array) -> PartSets:
    """Texts of one part → its distinct sets."""
    found = shingle(codes)
    ends = np.cumsum(found.sizes, dtype=np.int64)
    keyed = np.ascontiguousarray(found.keys).view([("a", "u8"), ("b", "u8")]).ravel()
    _, first, number = np.unique(keyed, return_index=True, return_inverse=True)
    sizes = found.sizes[first].astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    values = _gather(found.values, ends[first] - sizes, sizes)
    of_text = np.where(found.sizes > 0, number, -1).astype(np.int32)
    return PartSets(values, offsets, of_text)


def counts(sets: PartSets) -> np.ndarray:
    """uint16, how many sets of the part hold a shingle, by its high bits; saturating."""
    table = np.zeros(1 << TABLE_BITS, np.uint16)
    join.count(sets.values, 0, 1, table)
    return table


def add_counts(tables: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros(1 << TABLE_BITS, np.uint32)
    for table in tables:
        np.add(total, table, out=total)
    return np.minimum(total, 65535).astype(np.uint16)


def cut(sets: PartSets, table: np.ndarray, first_number: int, slices: int, threshold: float) -> list[Slice]:
    """The part's share of every slice. `first_number`: global number of its first set."""
    fraction = Fraction(str(threshold))
    n = len(sets.offsets) - 1
    room = len(sets.values) + n
    keys, owners, places = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    maps = np.zeros((n, join.MAP_WORDS), np.uint64)
    used = join.prefixes(
        sets.values, sets.offsets, 0, n, table, *fraction.as_integer_ratio(), np.uint64(0), np.uint64(2**64 - 1),
        maps, keys, owners, places,
    )  # fmt: skip
    range_of = (keys[:used] >> np.uint64(32)) * np.uint64(slices) >> np.uint64(32)
    order = np.argsort(range_of, kind="stable")
    bounds = np.searchsorted(range_of[order], np.arange(slices + 1))
    return [
        _slice(sets, maps, first_number, keys[part], owners[part], places[part])
        for part in (order[a:b] for a, b in pairwise(bounds))
    ]


def _slice(
    sets: PartSets,
    maps: np.ndarray,
    first_number: int,
    keys: np.ndarray,
    owners: np.ndarray,
    places: np.ndarray,
) -> Slice:
    chosen, local = np.unique(owners, return_inverse=True)
    sizes = sets.offsets[chosen + 1] - sets.offsets[chosen]
    values = _gather(sets.values, sets.offsets[chosen], sizes)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Slice(
        keys,
        local.astype(np.int32),
        places,
        chosen.astype(np.int64) + first_number,
        values,
        offsets,
        maps[chosen],
    )


def link(shares: Sequence[Slice], threshold: float) -> np.ndarray:
    """Joins what all parts sent to one slice. Returns int64 [links, 2]: global numbers of connected sets."""
    fraction = Fraction(str(threshold))
    starts = np.cumsum([0, *(len(s.numbers) for s in shares)])
    keys = np.concatenate([s.keys for s in shares])
    owners = np.concatenate([s.owners + start for s, start in zip(shares, starts[:-1], strict=True)]).astype(
        np.int32
    )
    places = np.concatenate([s.places for s in shares])
    numbers = np.concatenate([s.numbers for s in shares])
    values = np.concatenate([s.values for s in shares])
    maps = np.concatenate([s.maps for s in shares])
    sizes = np.concatenate([np.diff(s.offsets) for s in shares])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    parent = np.arange(len(numbers), dtype=np.int32)
    order = np.argsort(keys, kind="stable")
    if len(keys):
        join.link(
            keys[order],
            owners[order],
            places[order],
            values,
            offsets,
            maps,
            parent,
            *fraction.as_integer_ratio(),
        )
    linked = np.flatnonzero(parent != np.arange(len(parent)))
    return (
        np.stack([numbers[linked], numbers[parent[linked]]], axis=1)
        if len(linked)
        else np.empty((0, 2), np.int64)
    )


def components(sets: int, links: Sequence[np.ndarray]) -> np.ndarray:
    """int64 per set: the lowest set of its component."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate([np.empty((0, 2), np.int64), *links])
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(sets, sets))
    _, label = connected_components(graph, directed=False)
    lowest = np.full(int(label.max(initial=-1)) + 1, sets, np.int64)
    np.minimum.at(lowest, label, np.arange(sets))
    return lowest[label]


def _gather(values: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Runs of `values` one after another."""
    if not len(sizes):
        return values[:0]
    first = np.cumsum(sizes) - sizes
    return values[np.repeat(starts - first, sizes) + np.arange(int(sizes.sum()))]
