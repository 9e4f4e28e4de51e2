"""A version's records in, the same without near-duplicates out, with the clusters and every removed record: streamed twice.

Memory holds the shingle sets, ids and verdicts, never the code.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ai_stack_assets.domain.dataset import records

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.dataset.dedupe.representatives import Verdicts
    from ai_stack_assets.domain.dataset.dedupe.sets import Sets

CODE_VERSION = "1"
_SIZES = (2, 3, 5, 10, 50, 100, 1000)


@dataclass(frozen=True)
class Settings:
    """How alike is a duplicate, and what the search may take."""

    threshold: float = 0.8
    """Jaccard index of token 5-grams, to three decimals."""
    threads: int = 2
    memory_bytes: int = 2 << 30
    """For sets and index; beyond it sets go to a file and the index is made in several passes."""
    folder: Path | None = None
    """Of that file; default: the system's folder for temporary files."""


def deduplicate(
    version: Version,
    write: Callable[[str, pa.Table], None],
    settings: Settings | None = None,
    *,
    table: str = "records",
    known: np.ndarray | None = None,
) -> dict[str, Any]:
    """Write the tables `records`, `clusters` and `removed`; as `Parts.write` of the stage does.

    Args:
        known: the component of each record, when it was found out elsewhere (`on_ray`): memory then holds clustered ones only.

    Returns:
        Counts for the manifest, histograms of cluster sizes and of similarities included.
    """
    import pyarrow as pa

    settings = settings or Settings()
    ids, verdicts, facts = judge(version, settings, table, known)
    write("clusters", _clusters(ids, verdicts))
    stays = verdicts.keeper == np.arange(len(ids))
    at = 0
    for batch in itertools.chain([_none()], version.batches(table)):
        end = at + len(batch)
        kept = pa.array(stays[at:end])
        write("records", pa.Table.from_batches([batch.filter(kept)]))
        write("removed", _removed(batch, ids, verdicts, at + np.flatnonzero(~stays[at:end]), at))
        at = end
    return facts


def judge(
    version: Version, settings: Settings, table: str = "records", known: np.ndarray | None = None
) -> tuple[pa.Array, Verdicts, dict[str, Any]]:
    """Ids of all records in their order, what becomes of each, and counts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from ai_stack_assets.domain.dataset.dedupe.components import Joiner
    from ai_stack_assets.domain.dataset.dedupe.representatives import Verdicts, choose
    from ai_stack_assets.domain.dataset.dedupe.sets import collect

    seen: list[pa.Table] = []

    # a record that is alone in its component needs no set
    is_clustered = pa.array([] if known is None else (np.bincount(known) > 1)[known], pa.bool_())

    def codes() -> Iterator[pa.Array]:
        columns = ["id", "is_publishable", "doc_comment", "changed_at", "code"]
        for batch in version.batches(table, columns):
            rows = pa.Table.from_batches([batch])
            documented = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(rows["doc_comment"])), 0)
            seen.append(rows.drop(["doc_comment", "code"]).append_column("has_doc_comment", documented))
            end = sum(map(len, seen))
            here = slice(end - len(batch), end)
            yield (
                batch.column("code")
                if known is None
                else pc.if_else(is_clustered[here], batch.column("code"), "")
            )

    half = settings.memory_bytes // 2
    sets = collect(codes(), threads=settings.threads, limit_bytes=half, folder=settings.folder)
    joiner = Joiner(sets, threads=settings.threads, limit_bytes=half)
    component = joiner.components(settings.threshold) if known is None else _of_sets(sets, known)
    if not seen:
        empty = np.empty(0, np.int64)
        ids, verdicts = pa.array([], pa.string()), Verdicts(empty, empty, np.empty(0))
    else:
        facts = pa.concat_tables(seen)
        ids = facts["id"].combine_chunks()
        verdicts = choose(joiner, component, facts, settings.threshold)
    return ids, verdicts, {**_counts(verdicts), "passes": joiner.passes, "spilled_bytes": sets.spilled_bytes}


def _none() -> pa.RecordBatch:
    """No records: gives tables without rows their columns."""
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], records.schema())


def _of_sets(sets: Sets, known: np.ndarray) -> np.ndarray:
    """From records to sets: the lowest set of each one's component."""
    has_set = np.flatnonzero(sets.of_text >= 0)
    component = np.empty(len(sets.offsets) - 1, np.int64)
    component[sets.of_text[has_set]] = known[has_set]
    lowest = np.full(len(known), len(component), np.int64)
    np.minimum.at(lowest, component, np.arange(len(component)))
    return lowest[component]


def _clusters(ids: pa.Array, verdicts: Verdicts) -> pa.Table:
    """A row per cluster of two records or more: `cluster_id` is the id of its best record."""
    import pyarrow as pa

    heads, sizes = np.unique(verdicts.cluster, return_counts=True)
    heads, sizes = heads[sizes > 1], sizes[sizes > 1]
    stays = np.flatnonzero(verdicts.keeper == np.arange(len(ids)))
    stays = stays[np.isin(verdicts.cluster[stays], heads)]
    stays = stays[np.argsort(verdicts.cluster[stays], kind="stable")]
    offsets = np.append(np.searchsorted(verdicts.cluster[stays], heads), len(stays)).astype(np.int32)
    lowest = np.ones(len(ids))
    np.minimum.at(lowest, verdicts.cluster, verdicts.similarity)
    return pa.table(
        {
            "cluster_id": ids.take(pa.array(heads)),
            "rows": pa.array(sizes, pa.int32()),
            "kept_ids": pa.ListArray.from_arrays(pa.array(offsets), ids.take(pa.array(stays))),
            "lowest_similarity": pa.array(lowest[heads]),
        }
    )


def _removed(batch: pa.RecordBatch, ids: pa.Array, verdicts: Verdicts, rows: np.ndarray, at: int) -> pa.Table:
    """Removed records of a batch that begins at record `at`: in favour of whom, how alike, and where they were found."""
    import pyarrow as pa

    of_batch = batch.take(pa.array(rows - at))
    return pa.table(
        {
            "id": of_batch.column("id"),
            "representative_id": ids.take(pa.array(verdicts.keeper[rows])),
            "cluster_id": ids.take(pa.array(verdicts.cluster[rows])),
            "similarity": pa.array(verdicts.similarity[rows]),
            **{name: of_batch.column(name) for name in ("content_hash", "provenances")},
        }
    )


def _counts(verdicts: Verdicts) -> dict[str, Any]:
    gone = verdicts.keeper != np.arange(len(verdicts.keeper))
    sizes = np.unique(verdicts.cluster, return_counts=True)[1]
    sizes = sizes[sizes > 1]
    similarity = verdicts.similarity[gone]
    by_size = {f"{a}-{b - 1}" if b > a + 1 else f"{a}": int(((sizes >= a) & (sizes < b)).sum())
               for a, b in itertools.pairwise(_SIZES)}  # fmt: skip
    return {
        "rows_in": len(gone),
        "rows_out": int((~gone).sum()),
        "removed_equal_tokens": int((similarity == 1).sum()),
        "removed_near": int((similarity < 1).sum()),
        "lowest_similarity": float(similarity.min()) if len(similarity) else None,
        "clusters": len(sizes),
        "largest_cluster": int(sizes.max()) if len(sizes) else 0,
        "clusters_by_size": {**by_size, f"{_SIZES[-1]}+": int((sizes >= _SIZES[-1]).sum())},
        "removed_by_similarity": {
            f"{low / 100:.2f}": int(((similarity >= low / 100) & (similarity < (low + 5) / 100)).sum())
            for low in range(80, 105, 5)
        },
    }
