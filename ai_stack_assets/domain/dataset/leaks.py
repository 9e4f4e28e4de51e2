"""Proofs that the splits as written do not leak: each looks for keys that are in more than one. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.dataset.dedupe.closure import Closure, ClosureSettings

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version

SAMPLE = 20


@dataclass(frozen=True)
class Crossing:
    """A property of the splits: `count` keys are in more than one; 0 is what it must be. `sample`: ids of their records."""

    name: str
    count: int
    sample: list[str]

    @property
    def passed(self) -> bool:
        return self.count == 0


def crossings(
    splits: Version, clusters: Version | None = None, settings: ClosureSettings | None = None
) -> list[Crossing]:
    """No content hash, cluster, module, group of the closure crosses splits; made anew from the tables of `splits`.

    Args:
        splits: what `splits.split` wrote.
        clusters: what `deduplicate` wrote.
    """
    closure = Closure(splits, clusters, settings, SPLITS)
    of_split = np.repeat(np.arange(len(SPLITS)), [splits.rows(name) for name in SPLITS])
    ids = closure.records["id"].to_pylist()
    modules, objects = closure.modules()
    keys = {
        "no_content_hash_crosses_splits": closure.column("content_hash"),
        "no_cluster_crosses_splits": closure.clusters,
        "no_module_crosses_splits": modules,
        "no_object_module_crosses_splits": objects,
        "no_group_crosses_splits": closure.groups(np.arange(len(ids))),
    }
    return [_crossing(name, key, of_split, ids) for name, key in keys.items()]


def _crossing(name: str, key: np.ndarray, of_split: np.ndarray, ids: list[str]) -> Crossing:
    known = key >= 0
    pairs = np.unique(key[known] * len(SPLITS) + of_split[known])
    found, times = np.unique(pairs // len(SPLITS), return_counts=True)
    at_fault = np.flatnonzero(np.isin(key, found[times > 1]))
    return Crossing(name, int((times > 1).sum()), [ids[row] for row in at_fault[:SAMPLE]])
