"""Rows of a lake version by id, for stores that write only what changed. No engine here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version


def batches(
    version: Version, table: str, ids: pa.Array | None, columns: Sequence[str] | None = None, rows: int = 8192
) -> Iterator[pa.RecordBatch]:
    """Rows with these ids (all when None), piece by piece. Of a part that holds none of them only the ids are
    read."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = list(columns) if columns else None
    for part in version.parts(table):
        file = pq.ParquetFile(part)
        if ids is None:
            yield from file.iter_batches(rows, columns=wanted)
            continue
        for group in range(file.num_row_groups):
            here = pc.is_in(file.read_row_group(group, columns=["id"])["id"], value_set=ids)
            if pc.any(here).as_py():
                yield from file.read_row_group(group, columns=wanted).filter(here).to_batches(rows)
