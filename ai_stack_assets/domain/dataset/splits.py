"""Train, validation and test that do not leak, and that no later week moves. What links records: `dedupe.closure`.

- A group of the closure is never divided. Repositories and configurations stay whole, too, unless that made a group of more than
  a quarter of an evaluation split: forks of one library would else be one group with everything that uses it.
- Groups go in the order of a hash of their smallest content hash: to test, then to validation, while there is room by rows; the
  rest is for training. Those of up to a quarter of a split go first, so that one large module does not fill it.
- The table `assignments` remembers every content hash for ever. What a week before assigned stays where it is; so does a method
  that changed, and what takes the place of a near-duplicate.
- Where a new or changed record brings records of different splits together, those are withheld that have a link of their own to
  an evaluation record and matter less: new ones and those of training beside validation, of both beside test. In training they
  would give evaluation code away; moving them would change what was held out. Each week tries them again.
- Benchmark code, what is nearly such and what contains it is withheld.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.assignment import SPLITS, UNKNOWN, Assigned, SplitRules, assign
from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks
from ai_stack_assets.domain.dataset.dedupe.closure import Closure

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

CODE_VERSION = "1"
_REMEMBERED = ["content_hash", "id", "split", "group", "is_current"]


def split(
    version: Version,
    write: Callable[[str, pa.Table], None],
    *,
    clusters: Version | None = None,
    previous: Version | None = None,
    rules: SplitRules | None = None,
    benchmarks: Benchmarks | None = None,
) -> dict[str, Any]:
    """Write a table of records per split, `assignments` and `withheld`; as `Parts.write` of the stage does.

    Args:
        version: with the table `records`.
        clusters: what `deduplicate` wrote.
        previous: what this function wrote the week before.

    Returns:
        Counts for the manifest.
    """
    import pyarrow as pa

    rules = rules or SplitRules()
    closure = Closure(version, clusters, rules.closure)
    remembered = previous.table("assignments", _REMEMBERED) if previous else None
    removed = clusters.table("removed", ["content_hash", "representative_id"]) if clusters else None
    assigned = assign(closure, remembered, rules, benchmarks, removed)
    write("assignments", _assignments(closure, assigned, remembered))
    withheld = closure.records.select(["id", "content_hash", "repository", "path"])
    withheld = withheld.append_column("reason", pa.array(assigned.reason, pa.string()))
    write("withheld", withheld.filter(pa.array(assigned.split == UNKNOWN)))
    for name in SPLITS:
        write(name, records.schema().empty_table())
    at = 0
    for batch in version.batches("records"):
        here = assigned.split[at : at + len(batch)]
        at += len(batch)
        for number, name in enumerate(SPLITS):
            if (here == number).any():
                write(name, pa.Table.from_batches([batch.filter(pa.array(here == number))]))
    return _facts(closure, assigned, remembered)


def _assignments(closure: Closure, assigned: Assigned, remembered: pa.Table | None) -> pa.Table:
    """`content_hash`, `id`, `split`, `group`, `is_current`: this week's, and what former weeks had besides."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(assigned.split != UNKNOWN)
    split_names = pa.array(SPLITS).take(pa.array(np.maximum(assigned.split, 0)))
    now = pa.table(
        {
            "content_hash": closure.records["content_hash"],
            "id": closure.records["id"],
            "split": split_names,
            "group": pa.array(assigned.group, pa.string()),
        }
    ).filter(known)
    now = now.append_column("is_current", pa.array(np.ones(now.num_rows, bool)))
    # a content hash has one split: its first row tells it
    first = np.unique(now["content_hash"].to_numpy(zero_copy_only=False), return_index=True)[1]
    now = now.take(pa.array(first))
    if remembered is None:
        return now
    gone = remembered.filter(
        pc.invert(pc.is_in(remembered["content_hash"], now["content_hash"].combine_chunks()))
    )
    gone = gone.drop(["is_current"]).append_column("is_current", pa.array(np.zeros(gone.num_rows, bool)))
    return pa.concat_tables([now, gone.select(_REMEMBERED)])


def _facts(closure: Closure, assigned: Assigned, remembered: pa.Table | None) -> dict[str, Any]:
    rows = {name: int((assigned.split == number).sum()) for number, name in enumerate(SPLITS)}
    groups = Counter(assigned.group[assigned.split != UNKNOWN].tolist())
    total = max(sum(rows.values()), 1)
    return {
        "rows_in": closure.records.num_rows,
        "rows": rows,
        "shares": {name: round(count / total, 4) for name, count in rows.items()},
        "withheld": dict(Counter(r for r in assigned.reason.tolist() if r)),
        "groups": len(groups),
        "largest_groups": [count for _, count in groups.most_common(10)],
        "divided": {name: len(found) for name, found in assigned.divided.items()},
        "divided_names": {name: sorted(found)[:20] for name, found in assigned.divided.items()},
        "remembered": remembered.num_rows if remembered is not None else 0,
    }
