"""Proofs that prepared sets do not leak: each property is looked for in the rows as they were written. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.dataset.leaks import SAMPLE, Crossing

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.training.contract import Sets

CODE, MODULE, CLUSTER, FAMILY, SPLIT = (
    "no_code_crosses_splits",
    "no_module_crosses_splits",
    "no_cluster_crosses_splits",
    "no_evaluation_family_is_in_train",
    "splits_are_those_of_the_dataset",
)
_KEYS = ["content_hash", "id", "configuration", "module", "family"]


def crossings(sets: Sets, *, splits: Version, clusters: Version | None = None) -> list[Crossing]:
    """All of the properties below.

    Args:
        splits: of the dataset stage, which the sets were prepared from.
        clusters: what the dataset stage's deduplication wrote; without it the clusters are not looked at.
    """
    return [
        code(sets),
        module(sets),
        family(sets),
        resplit(sets, splits),
        *([cluster(sets, clusters)] if clusters else []),
    ]


def code(sets: Sets) -> Crossing:
    """The same code is in one split alone."""
    return _crossing(CODE, [_keys(table, "content_hash") for table in _tables(sets)], sets)


def module(sets: Sets) -> Crossing:
    """The methods of a module of a configuration are in one split."""
    return _crossing(MODULE, [_keys(table, "configuration", "module") for table in _tables(sets)], sets)


def family(sets: Sets) -> Crossing:
    """No module's family is in train and in validation or test; between those two it may be."""
    train, *others = (_keys(table, "family") for table in _tables(sets))
    return _crossing(FAMILY, [train, [key for keys in others for key in keys]], sets)


def cluster(sets: Sets, clusters: Version) -> Crossing:
    """What is nearly the same code is in one split."""
    of_id = {
        id_: number
        for number, ids in enumerate(clusters.table("clusters", ["kept_ids"])["kept_ids"].to_pylist())
        for id_ in ids
    }
    keys = [[of_id.get(id_) for (id_,) in _keys(table, "id")] for table in _tables(sets)]
    return _crossing(CLUSTER, keys, sets)


def resplit(sets: Sets, splits: Version) -> Crossing:
    """Every row is in the split that the dataset stage gave its method."""
    sample, count = [], 0
    for name, table in zip(SPLITS, _tables(sets), strict=True):
        known = set(splits.table(name, ["content_hash"])["content_hash"].to_pylist())
        rows = zip(table["content_hash"].to_pylist(), table["id"].to_pylist(), strict=True)
        strangers = [id_ for hash_, id_ in rows if hash_ not in known]
        count += len(strangers)
        sample += strangers
    return Crossing(SPLIT, count, sample[:SAMPLE])


def _tables(sets: Sets) -> list[pa.Table]:
    return [getattr(sets, name).select(_KEYS) for name in SPLITS]


def _keys(table: pa.Table, *names: str) -> list[tuple[str, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def _crossing(name: str, keys: Sequence[Sequence], sets: Sets) -> Crossing:
    """`keys`: of the rows in the order of the splits, in the parts that must have none in common; None has none."""
    parts: dict[object, set[int]] = defaultdict(set)
    for part, found in enumerate(keys):
        for key in set(found) - {None}:
            parts[key].add(part)
    crossing = {key for key, found in parts.items() if len(found) > 1}
    ids = (id_ for table in _tables(sets) for (id_,) in _keys(table, "id"))
    return Crossing(
        name, len(crossing), _first(id_ for id_, key in zip(ids, _flat(keys), strict=True) if key in crossing)
    )


def _flat(keys: Iterable[Sequence]) -> Iterable:
    return (key for found in keys for key in found)


def _first(ids: Iterable[str]) -> list[str]:
    return [id_ for id_, _ in zip(ids, range(SAMPLE), strict=False)]
