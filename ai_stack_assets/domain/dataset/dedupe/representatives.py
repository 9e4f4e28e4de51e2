"""Who stays of a cluster, and who goes in favour of whom: nothing but for one that stays, with verified J >= threshold."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from ai_stack_assets.domain.dataset.dedupe import join
from ai_stack_assets.domain.dataset.dedupe.components import Joiner

if TYPE_CHECKING:
    import pyarrow as pa

RULE = (
    ("is_publishable", "descending"),
    ("has_doc_comment", "descending"),
    ("changed_at", "descending"),
    ("id", "ascending"),
)
"""Best first: may be published (or the published dataset would lose the method), documented, newest; unknown dates come last."""


class Verdicts(NamedTuple):
    """One entry a record."""

    keeper: np.ndarray
    """int64: the record that it is removed in favour of; itself when it stays."""
    cluster: np.ndarray
    """int64: the best record of its connected component; itself when it is alone."""
    similarity: np.ndarray
    """float64: exact Jaccard with the keeper, 1 for itself."""


@njit(cache=True, nogil=True)
def _cover(members, component, values, offsets, maps, num, den, keeper, similarity):
    """Walk each component, best set first: a set alike to one that stays goes in favour of the best such; else it stays."""
    staying = np.empty(len(members), np.int64)
    known = 0
    for k in range(len(members)):
        s = members[k]
        if k and component[s] != component[members[k - 1]]:
            known = 0
        for p in range(known):
            if join.alike(s, staying[p], values, offsets, maps, num, den):
                keeper[s] = staying[p]
                common = join.overlap(s, staying[p], values, offsets)
                both = offsets[s + 1] - offsets[s] + offsets[staying[p] + 1] - offsets[staying[p]]
                similarity[s] = common / (both - common)
                break
        else:
            staying[known] = s
            known += 1


def choose(joiner: Joiner, component: np.ndarray, facts: pa.Table, threshold: float) -> Verdicts:
    """Apply the rule.

    A cluster is a chain: its ends may be less alike than the threshold. So its best record stays and removes what is alike to it;
    the best of what remains stays, and so on. Where all are alike to the best, one stays.

    Args:
        component: per set, from `joiner`.
        facts: the columns of `RULE`, a row per record.
    """
    import pyarrow.compute as pc

    sets = joiner.sets
    order = pc.sort_indices(facts, sort_keys=list(RULE)).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    best = np.full(len(component), len(order), np.int64)
    has_set = sets.of_text >= 0
    np.minimum.at(best, sets.of_text[has_set], rank[has_set])
    best = order[best].astype(np.int64)
    rank_of_set = rank[best]
    members = np.lexsort((rank_of_set, component))
    keeper, similarity = np.arange(len(component)), np.ones(len(component))
    fraction = Fraction(threshold).limit_denominator(1000).as_integer_ratio()
    _cover(members, component, sets.values, sets.offsets, joiner.maps, *fraction, keeper, similarity)
    first = np.unique(component[members], return_index=True)
    head = np.arange(len(component))
    head[first[0]] = members[first[1]]
    records = np.arange(len(order))
    texts = np.where(has_set, sets.of_text, 0)
    if not len(component):
        return Verdicts(records, records, np.ones(len(records)))
    return Verdicts(
        np.where(has_set, best[keeper[texts]], records),
        np.where(has_set, best[head[component[texts]]], records),
        np.where(has_set, similarity[texts], 1.0),
    )
