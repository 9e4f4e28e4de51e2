"""How a stage of the dataset leaves its result in the lake: streamed, whole or not at all, and not made twice.

    <data>/lake/dataset/<stage>/<week>/<version>/<table>/<part>.parquet        week: the Sunday it begins with, `2026-11-15`

The version's name is a hash of all that went in (`key`): the versions that were read, the settings, the stage's code version.
A stage whose key is the current version's is done before it begins: a week in which nothing changed is rebuilt by looking.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version

ROWS_PER_PART = 50_000
"""A part is what is held in memory while it is written: 50,000 methods are about 60 MB."""


def key(code_version: str, *inputs: Version | None, **settings: Any) -> str:
    """Name of the version that these inputs and settings lead to. A missing input (a source that failed) counts as such."""
    content = [code_version, [v and [str(v.configuration), v.id] for v in inputs], sorted(settings.items())]
    return xxhash.xxh3_128_hexdigest(msgspec.json.encode(content, enc_hook=str))[:16]


def found(lake: Lake, week: str, version_id: str) -> Version | None:
    """The week's current version when it is this one, so that there is nothing to make."""
    current = lake.current(week)
    return current if current and current.id == version_id else None


def build(
    lake: Lake,
    week: str,
    version_id: str,
    write: Callable[[Parts], dict[str, Any]],
    *,
    again: bool = False,
) -> tuple[Version, bool]:
    """The stage's version for the week, made by `write` unless it is there already.

    Args:
        lake: of this stage.
        write: fills the tables and returns what to keep beside them (statistics, settings) in the manifest, as `facts`.
        again: even if it is there: what was damaged is replaced by what is written now.

    Returns:
        The current version and whether it was made now.
    """
    if not again and (there := found(lake, week, version_id)):
        return there, False
    with lake.draft(week) as draft:
        parts = Parts(draft)
        facts = write(parts)
        manifest = {"configuration": week, "source": {}, "tables": parts.close(), "facts": facts}
        return lake.publish(week, draft, version_id, manifest), True


class Parts:
    """Tables of a version being written. Memory is bounded by one part of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: dict[str, list[pa.Table]] = {}
        self._tables: dict[str, dict[str, Any]] = {}

    def write(self, table: str, rows: pa.Table) -> None:
        """Append rows; the first call fixes the schema. A table without rows needs one call with an empty table."""
        self._tables.setdefault(table, {"rows": 0, "bytes": 0, "parts": []})
        waiting = self._waiting.setdefault(table, [])
        waiting.append(rows)
        while sum(t.num_rows for t in waiting) >= ROWS_PER_PART:
            self._flush(table, ROWS_PER_PART)

    def file(self, table: str, name: str) -> Path:
        """Where a file that is written in another way belongs; name it to `add_file` when it is complete."""
        path = self.folder / table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_file(self, table: str, path: Path, rows: int) -> None:
        entry = self._tables.setdefault(table, {"rows": 0, "bytes": 0, "parts": []})
        entry["rows"] += rows
        entry["bytes"] += path.stat().st_size
        entry["parts"].append(path.name)

    def close(self) -> dict[str, dict[str, Any]]:
        """Write what waits. Returns rows, bytes and parts by table."""
        for table, waiting in self._waiting.items():
            if any(t.num_rows for t in waiting) or not self._tables[table]["parts"]:
                self._flush(table, ROWS_PER_PART)
        return self._tables

    def _flush(self, table: str, rows: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        whole = pa.concat_tables(self._waiting[table])
        entry = self._tables[table]
        path = self.file(table, f"{len(entry['parts']):05}.parquet")
        part = whole.slice(0, rows)
        pq.write_table(part, path, compression="zstd", row_group_size=8192)
        self.add_file(table, path, part.num_rows)
        self._waiting[table][:] = [whole.slice(rows)]
