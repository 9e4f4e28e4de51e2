"""Kernels of the exact set similarity join: which sets share enough, by proven filters alone. Compiled, hold no GIL.

The threshold is a fraction `num / den`: J(x, y) >= t exactly when |x ∩ y| * (num + den) >= num * (|x| + |y|), in integers.
The filters that spare a comparison never lose a pair:

- prefix: in any one order of all shingles, two alike sets share one among the first |x| - ceil(t |x|) + 1 of each
  (Chaudhuri et al. 2006; Bayardo et al. 2007). The order is by how many sets hold the shingle, rare first, then by value;
  counts may be too high, as they only choose the order, but a count of 1 is exact and such a shingle pairs nothing.
- length: |y| <= |x| / t.
- position (Xiao et al. 2008): behind the first common shingle no more than the shorter rest can be common. Behind a later
  one the pair was looked at before, at the first.
- parity: a bit map toggled by each member differs in at most |x Δ y| bits (Sandes et al. 2020).
- component: a pair that is connected already adds nothing to the components, which are all that is asked for.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MAP_WORDS = 4
"""64-bit words of a parity map."""
_PIVOTS = 8
_LARGE = 32
"""Sets in a bucket from which they are first compared with a few pivots: 2,000 variants become one component in 2,000 steps."""
_CLASSES = 160


@njit(cache=True, nogil=True)
def count(values, part, parts, table):
    """Add to `table` (uint16, saturating, slots by the high bits) the values of one of `parts` ranges."""
    shift = np.uint64(64)
    size = len(table)
    while size > 1:
        shift -= np.uint64(1)
        size //= 2
    low, high = len(table) * part // parts, len(table) * (part + 1) // parts
    for i in range(len(values)):
        slot = np.int64(values[i] >> shift)
        if low <= slot < high and table[slot] != 65535:
            table[slot] += np.uint16(1)


@njit(cache=True, nogil=True)
def _class(n):
    """Counts from 128 on by their binary order: enough to tell rare from common."""
    if n < 128:
        return n
    order = 128
    while n >= 128:
        n >>= 1
        order += 1
    return order


@njit(cache=True, nogil=True)
def prefixes(values, offsets, first, last, table, num, den, low, high, maps, keys, sets, places):
    """Prefix shingles of the sets `first` to `last` whose value is in `low <= value <= high` and that another set may hold.

    Args:
        maps: uint64 [sets, MAP_WORDS], the parity maps, filled.
        keys, sets, places: filled with shingle, set, and position in the order; large enough for all prefixes.

    Returns:
        How many there are.
    """
    shift, size, used = np.uint64(64), len(table), 0
    while size > 1:
        shift -= np.uint64(1)
        size //= 2
    starts = np.empty(_CLASSES, np.int32)
    for s in range(first, last):
        n = offsets[s + 1] - offsets[s]
        length = n + (-num * n // den) + 1
        starts[:] = 0
        maps[s] = np.uint64(0)
        for v in values[offsets[s] : offsets[s + 1]]:
            starts[_class(np.int64(table[np.int64(v >> shift)])) + 1] += 1
            maps[s, (v >> np.uint64(6)) & np.uint64(MAP_WORDS - 1)] ^= np.uint64(1) << (v & np.uint64(63))
        for c in range(1, _CLASSES):
            starts[c] += starts[c - 1]
        for v in values[offsets[s] : offsets[s + 1]]:
            kind = _class(np.int64(table[np.int64(v >> shift)]))
            place = starts[kind]
            starts[kind] += 1
            if place < length and kind > 1 and low <= v <= high:
                keys[used], sets[used], places[used] = v, s, place
                used += 1
    return used


@njit(cache=True, nogil=True)
def find(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def unite(parent, a, b):
    """Join two components; the lowest number stays their root."""
    a, b = find(parent, a), find(parent, b)
    parent[max(a, b)] = min(a, b)


@njit(cache=True, nogil=True)
def merge(parent, other):
    """Join in `parent` all that is joined in `other`."""
    for i in range(len(parent)):
        if other[i] != i:
            unite(parent, i, other[i])


@njit(cache=True, nogil=True)
def _bits(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def alike(x, y, values, offsets, maps, num, den):
    """Whether the sets `x` and `y` have J >= num / den."""
    n, m = offsets[x + 1] - offsets[x], offsets[y + 1] - offsets[y]
    need = -(-num * (n + m) // (num + den))
    spare_x, spare_y = n - need, m - need
    if spare_x < 0 or spare_y < 0:
        return False
    differing = 0
    for word in range(MAP_WORDS):
        differing += _bits(maps[x, word] ^ maps[y, word])
    if differing > spare_x + spare_y:
        return False
    i, end_x, j, end_y = offsets[x], offsets[x + 1], offsets[y], offsets[y + 1]
    while i < end_x and j < end_y:
        if values[i] == values[j]:
            i += 1
            j += 1
        elif values[i] < values[j]:
            i += 1
            spare_x -= 1
            if spare_x < 0:
                return False
        else:
            j += 1
            spare_y -= 1
            if spare_y < 0:
                return False
    return True


@njit(cache=True, nogil=True)
def overlap(x, y, values, offsets):
    """Members that two sets have in common."""
    i, j, common = offsets[x], offsets[y], 0
    while i < offsets[x + 1] and j < offsets[y + 1]:
        a, b = values[i], values[j]
        common += a == b
        i += a <= b
        j += b <= a
    return common


@njit(cache=True, nogil=True)
def _with_pivots(members, values, offsets, maps, parent, num, den):
    """Compare each member with the first few that were alike to none before. Spares most pairs of a family of variants."""
    pivots, known = np.empty(_PIVOTS, np.int64), 0
    for s in members:
        for p in range(known):
            if find(parent, s) == find(parent, pivots[p]):
                break
            if alike(s, pivots[p], values, offsets, maps, num, den):
                unite(parent, s, pivots[p])
                break
        else:
            if known < _PIVOTS:
                pivots[known] = s
                known += 1


@njit(cache=True, nogil=True)
def _all_pairs(members, places, values, offsets, maps, parent, num, den):
    """Every pair that the filters leave. `members` ascend by size. What the inner loop reads lies side by side: two billion pairs
    of 100 families of 2,000 variants come here, and the position leaves one in a hundred."""
    sizes = offsets[members + 1] - offsets[members]
    rests = sizes - places
    roots = np.empty(len(members), np.int64)
    for k in range(len(members)):
        roots[k] = find(parent, members[k])
    for a in range(len(members)):
        n, rest, largest = sizes[a], rests[a], sizes[a] * den // num
        # the other is no smaller, so no fewer need to be common than with one of the same size
        if rest * (num + den) < 2 * num * n:
            continue
        for b in range(a + 1, len(members)):
            if sizes[b] > largest:
                break
            if min(rest, rests[b]) * (num + den) < num * (n + sizes[b]) or roots[a] == roots[b]:
                continue
            x, y = members[a], members[b]
            if find(parent, x) != find(parent, y) and alike(x, y, values, offsets, maps, num, den):
                unite(parent, x, y)


@njit(cache=True, nogil=True)
def link(keys, sets, places, values, offsets, maps, parent, num, den):
    """Join in `parent` the sets that are alike among those with an equal key.

    Args:
        keys: uint64, ascending.
        sets: int32, the set of each key.
        places: int32, position of the key in its set's order.
    """
    start = 0
    while start < len(keys):
        end = start + 1
        while end < len(keys) and keys[end] == keys[start]:
            end += 1
        root = find(parent, sets[start])
        for k in range(start + 1, end):
            if find(parent, sets[k]) != root:
                root = -1
                break
        if root < 0:
            members = sets[start:end]
            order = np.argsort(offsets[members + 1] - offsets[members])
            members = members[order]
            if len(members) > _LARGE:
                _with_pivots(members, values, offsets, maps, parent, num, den)
            _all_pairs(members, places[start:end][order], values, offsets, maps, parent, num, den)
        start = end
