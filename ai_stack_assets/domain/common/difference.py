"""What changed between two sets of rows, by id and content hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa


class RowChanges(NamedTuple):
    """Arrays of ids."""

    added: pa.Array | pa.ChunkedArray
    changed: pa.Array
    removed: pa.Array


def row_changes(now: pa.Table, before: pa.Table) -> RowChanges:
    """Both tables: `id, content_hash`, strings. One hash look-up per row: half the time and memory of a join.

    A row that lost its hash counts as changed, a second row of the same id in `before` as removed.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    none = pa.array([], pa.string())

    def ids(table: pa.Table, mask: pa.Array) -> pa.Array:
        return pa.concat_arrays(table["id"].filter(mask).chunks or [pa.array([], pa.string())])

    if all(
        now[name].equals(before[name]) for name in ("id", "content_hash")
    ):  # in the order of its writing, too
        return RowChanges(none, none, none)
    if not before.num_rows:  # a first load: millions of ids that nothing has to be looked up for
        return RowChanges(now["id"], none, none)
    place = pc.index_in(now["id"], value_set=before["id"])
    is_new = pc.is_null(place)
    differs = pc.fill_null(pc.not_equal(now["content_hash"], before["content_hash"].take(place)), True)
    is_gone = np.ones(before.num_rows, bool)
    is_gone[pc.drop_null(place).to_numpy()] = False
    return RowChanges(ids(now, is_new), ids(now, pc.and_not(differs, is_new)), ids(before, pa.array(is_gone)))
