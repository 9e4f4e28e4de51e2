"""Which split each record belongs to: the algorithm. What it promises, and what is written where, is in `splits`.

Everything works on numbers of groups and splits; -1 is unknown or withheld.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks
from ai_stack_assets.domain.dataset.dedupe.closure import Closure, ClosureSettings

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS = ("train", "validation", "test")
"""The later, the more it matters that nobody has seen it: the number of a split is its rank."""
UNKNOWN = -1
LINKS_SPLITS, CONTAMINATED = "links_splits", "contaminated"


@dataclass(frozen=True)
class SplitRules:
    """Shares are of rows; what is left is for training."""

    validation: float = 0.05
    test: float = 0.05
    closure: ClosureSettings = field(default_factory=ClosureSettings)


@dataclass(frozen=True)
class Assigned:
    """Per record, in the closure's order."""

    split: np.ndarray
    """int8: index in `SPLITS`, -1 when withheld."""
    group: np.ndarray
    """Name of its group, after the smallest content hash in it; empty when withheld."""
    reason: np.ndarray
    """Why it is withheld, else empty."""
    divided: dict[str, list[str]]
    """Repositories and configurations that are not in one group."""


def assign(
    closure: Closure,
    remembered: pa.Table | None = None,
    rules: SplitRules | None = None,
    benchmarks: Benchmarks | None = None,
    removed: pa.Table | None = None,
) -> Assigned:
    """Splits of all records.

    Args:
        remembered: columns `content_hash`, `id` and `split` (name) of the weeks before.
        removed: columns `content_hash` and `representative_id` of this week's near-duplicates.
    """
    rules = rules or SplitRules()
    hashes = closure.records["content_hash"].to_numpy(zero_copy_only=False)
    reason = np.full(len(hashes), "", object)
    if benchmarks:
        from ai_stack_assets.domain.dataset.dedupe.contamination import contaminated

        reason[contaminated(closure.sets, hashes, benchmarks)] = CONTAMINATED
    old = _remembered(closure, remembered, removed)
    rows = np.flatnonzero(reason == "")
    reason[rows[_conflicts(closure, rows, old)]] = LINKS_SPLITS
    rows = np.flatnonzero(reason == "")
    quota = {2: round(rules.test * len(rows)), 1: round(rules.validation * len(rows))}
    cap = min((q for q in quota.values() if q), default=0) // 4
    groups = closure.groups(rows)
    groups, divided = _whole(closure, rows, groups, old, cap)
    names = np.array([xxhash.xxh3_64_hexdigest(h.encode()) for h in _smallest(groups, hashes[rows])], object)
    label = np.full(len(names), UNKNOWN, np.int8)
    np.maximum.at(label, groups, old[rows])
    label = _fill(label, np.bincount(groups, minlength=len(label)), names, quota, cap)
    split, group = np.full(len(hashes), UNKNOWN, np.int8), np.full(len(hashes), "", object)
    split[rows], group[rows] = label[groups], names[groups]
    return Assigned(split, group, reason, divided)


def _remembered(closure: Closure, remembered: pa.Table | None, removed: pa.Table | None) -> np.ndarray:
    """Split of each record in the weeks before: by its content, else of near-duplicates that were removed in its favour, else of
    the method that it was before it changed."""
    old = np.full(closure.records.num_rows, UNKNOWN, np.int8)
    if remembered is None or not remembered.num_rows:
        return old
    records = closure.records
    old = _looked_up(records["content_hash"], remembered["content_hash"], remembered["split"])
    if removed is not None:
        splits = _looked_up(removed["content_hash"], remembered["content_hash"], remembered["split"])
        owner = _places(removed["representative_id"], records["id"])
        inherited = np.full(len(old), UNKNOWN, np.int8)
        np.maximum.at(inherited, owner[owner >= 0], splits[owner >= 0])
        old = np.where(old == UNKNOWN, inherited, old)
    return np.where(old == UNKNOWN, _looked_up(records["id"], remembered["id"], remembered["split"]), old)


def _looked_up(keys: pa.ChunkedArray, known: pa.ChunkedArray, splits: pa.ChunkedArray) -> np.ndarray:
    """Number of the split of each key, -1 for those that are not known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.index_in(splits, pa.array(SPLITS)).to_numpy().astype(np.int8)
    return np.append(numbers, np.int8(UNKNOWN))[_places(keys, known)]


def _places(keys: pa.ChunkedArray, known: pa.ChunkedArray) -> np.ndarray:
    """Where each key is first among the known, else -1."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.index_in(keys, known.combine_chunks()), UNKNOWN).to_numpy()


def _conflicts(closure: Closure, rows: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Places in `rows` of the records to withhold, so that no group is left with two remembered splits.

    Every chain from training to evaluation has a link whose one end is an evaluation record. So it is enough to withhold what has
    such a link of its own and matters less: new records and those of training, not all that hangs together with them.
    """
    groups = closure.groups(rows)
    suspects = np.flatnonzero(_splits_of(groups, old[rows])[groups] > 1)
    withheld = np.zeros(len(rows), bool)
    for number in (2, 1):
        here = suspects[(old[rows[suspects]] == number) & ~withheld[suspects]]
        less = suspects[(old[rows[suspects]] < number) & ~withheld[suspects]]
        if len(here) and len(less):
            withheld[less] = closure.touching(rows[less], rows[here])
    return np.flatnonzero(withheld)


def _splits_of(groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """How many remembered splits each group has."""
    known = old != UNKNOWN
    pairs = np.unique(groups[known] * len(SPLITS) + old[known])
    return np.bincount(pairs // len(SPLITS), minlength=groups.max(initial=-1) + 1)


def _whole(
    closure: Closure, rows: np.ndarray, groups: np.ndarray, old: np.ndarray, cap: int
) -> tuple[np.ndarray, dict[str, list[str]]]:
    """Join the groups of each repository, then of each configuration: small ones first, where at most `cap` rows come together
    and all that is remembered of them is in one split. Returns groups, and the names of what stays divided."""
    divided: dict[str, list[str]] = {}
    for name in ("repository", "configuration"):
        owners = closure.column(name)[rows]
        labels = np.full(groups.max(initial=-1) + 1, UNKNOWN, np.int8)
        np.maximum.at(labels, groups, old[rows])
        union = _Union(np.bincount(groups, minlength=len(labels)).tolist(), labels.tolist())
        order = np.argsort(owners, kind="stable")
        numbers, starts, sizes = np.unique(owners[order], return_index=True, return_counts=True)
        apart = []
        for k in np.argsort(sizes, kind="stable"):
            own = order[starts[k] : starts[k] + sizes[k]]
            if numbers[k] >= 0 and not union.join(np.unique(groups[own]).tolist(), cap):
                apart.append(closure.records[name][int(rows[own[0]])].as_py())
        divided[name] = sorted(apart)
        roots = np.array([union.find(g) for g in range(len(labels))], np.int64)
        groups = np.unique(roots[groups], return_inverse=True)[1] if len(groups) else groups
    return groups, divided


class _Union:
    """Groups that join while they are small and of one remembered split."""

    def __init__(self, sizes: list[int], labels: list[int]) -> None:
        self._sizes, self._labels, self._parent = sizes, labels, list(range(len(sizes)))

    def find(self, group: int) -> int:
        while self._parent[group] != group:
            self._parent[group] = group = self._parent[self._parent[group]]
        return group

    def join(self, groups: list[int], cap: int) -> bool:
        """Join them all or none. Returns whether they are together."""
        roots = {self.find(group) for group in groups}
        labels = {self._labels[root] for root in roots} - {UNKNOWN}
        if len(roots) > 1 and (len(labels) > 1 or sum(self._sizes[root] for root in roots) > cap):
            return False
        root, *others = sorted(roots)
        for other in others:
            self._parent[other] = root
            self._sizes[root] += self._sizes[other]
        self._labels[root] = max(labels, default=UNKNOWN)
        return True


def _smallest(groups: np.ndarray, hashes: np.ndarray) -> list[str]:
    """The smallest content hash of each group."""
    order = np.argsort(hashes, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    return hashes[order][first].tolist()


def _fill(
    label: np.ndarray, sizes: np.ndarray, names: np.ndarray, quota: dict[int, int], cap: int
) -> np.ndarray:
    """Give every group without a split one, in order of the names: evaluation while there is room, small groups first."""
    label = label.copy()
    free = [g for g in np.argsort(names, kind="stable").tolist() if label[g] == UNKNOWN]
    for number, wanted in quota.items():
        taken = int(sizes[label == number].sum())
        for is_small in (True, False):
            for g in free:
                fits = taken + sizes[g] / 2 <= wanted
                if label[g] == UNKNOWN and (sizes[g] <= cap) == is_small and fits:
                    label[g] = number
                    taken += int(sizes[g])
    label[label == UNKNOWN] = 0
    return label
