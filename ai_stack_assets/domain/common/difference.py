"""What changed between two sets of rows, by id and content hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa


class RowChanges(NamedTuple):
    """Arrays of ids."""

    added: pa.Array
    changed: pa.Array
    removed: pa.Array


def row_changes(now: pa.Table, before: pa.Table) -> RowChanges:
    """Both tables: `id, content_hash`, strings. O(n) hash join."""
    import pyarrow.compute as pc

    joined = now.join(before.rename_columns(["id", "hash_before"]), keys="id", join_type="full outer", use_threads=False)
    hash_now, hash_before = joined["content_hash"], joined["hash_before"]
    masks = (
        pc.is_null(hash_before),
        pc.fill_null(pc.not_equal(hash_now, hash_before), False),
        pc.is_null(hash_now),
    )
    return RowChanges(*(joined["id"].filter(mask).combine_chunks() for mask in masks))
