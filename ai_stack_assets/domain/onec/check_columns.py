"""The columns of a version that the gates look at, and which of them points at which. No judgement here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

OWNERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("objects", "owner_id", ("objects",)),
    ("fields", "object_id", ("objects",)),
    ("fields", "parent_id", ("fields",)),
    ("modules", "object_id", ("objects",)),
    ("methods", "module_id", ("modules",)),
    ("methods", "object_id", ("objects",)),
    ("calls", "module_id", ("modules",)),
    ("calls", "caller_id", ("methods", "modules")),
    ("calls", "target_id", ("methods",)),
    ("queries", "object_id", ("objects",)),
    ("queries", "place_id", ("methods", "modules", "fields", "objects")),
    ("references", "source_object_id", ("objects",)),
)
"""Column that points at the id of one of these tables. Nulls point nowhere."""

_OTHER_COLUMNS = {
    "objects": ("path", "owner_id"),
    "modules": ("path",),
    "rejected": ("path", "is_lost"),
    "references": ("kind", "source_id", "target_id", "target_kind"),
}
_UNNAMED = ("references", "calls", "queries")
"""Nothing points at their rows: their ids are looked at part by part, and none is kept."""


class Columns:
    """The columns that the gates need: each table is read once, part by part."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._tables: dict[str, pa.Table] = {}

    def get(self, table: str, column: str) -> pa.ChunkedArray:
        """Ids and flags as they are, all other columns as dictionaries."""
        if table not in self._tables:
            self._tables[table] = self._table(table)
        return self._tables[table][column]

    def per_part(
        self, table: str, judge: Callable[[pa.ChunkedArray], tuple[int, list[str]]]
    ) -> Iterator[tuple[int, list[str]]]:
        """What is found in the ids that could be alike; on all cores, for Arrow lets others work meanwhile."""
        import pyarrow.parquet as pq

        if table == "objects":
            yield judge(self.get(table, "id"))
            return

        def judged(part: Path) -> tuple[int, list[str]]:
            return judge(pq.read_table(part, columns=["id"], use_threads=False)["id"])

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            yield from threads.map(judged, self.version.parts(table))

    def distinct(self, table: str, column: str) -> pa.Array:
        """Distinct values without null."""
        return _distinct(self.get(table, column))

    def strays(self) -> list[pa.Array]:
        """For each of OWNERS, distinct values that no owner in the same part has: few, so that memory is that of a part."""
        import pyarrow as pa

        by_table = {
            table: {part.name: part for part in self.version.parts(table)}
            for table in {name for table, _, owners in OWNERS for name in (table, *owners)}
        }
        names = sorted({name for parts in by_table.values() for name in parts})
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = threads.map(
                lambda name: _strays({t: parts[name] for t, parts in by_table.items() if name in parts}),
                names,
            )
            columns = list(zip(*found, strict=True))
        return [pa.concat_arrays(column).unique() for column in columns] or [pa.array([], pa.string())] * len(
            OWNERS
        )

    def _table(self, table: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = [*([] if table in _UNNAMED else ["id"]), *_OTHER_COLUMNS.get(table, ())]
        words = [c for c in columns if c not in ("id", "is_lost")]
        parts = [
            pq.ParquetFile(part, read_dictionary=words).read(columns=columns)
            for part in self.version.parts(table)
        ]
        if parts:
            return pa.concat_tables(parts)
        empty = self.version.table(table, columns)
        return pa.table({c: empty[c].dictionary_encode() if c in words else empty[c] for c in columns})


def not_in(values: pa.Array, owners: Iterable[pa.ChunkedArray]) -> pa.Array:
    """Values that are in none of the sets."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.chunked_array([chunk for owner in owners for chunk in owner.chunks], pa.string())
    return values.filter(pc.invert(pc.is_in(values, known)))


def _strays(parts: dict[str, Path]) -> list[pa.Array]:
    """Of the tables of one part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = {
        table: pq.read_table(parts[table], columns=["id"], use_threads=False)["id"]
        for table in {owner for _, _, owners in OWNERS for owner in owners} & set(parts)
    }
    found = []
    for table, column, owners in OWNERS:
        values = pa.array([], pa.string())
        if table in parts:
            file = pq.ParquetFile(parts[table], read_dictionary=[column])
            values = _distinct(file.read(columns=[column], use_threads=False)[column])
        found.append(not_in(values, [ids[owner] for owner in owners if owner in ids]))
    return found


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    """300,000 rows cost no more than their dictionaries."""
    import pyarrow as pa

    return pa.chunked_array([chunk.dictionary for chunk in column.chunks], pa.string()).unique().drop_null()
