"""The version being made: which parts are new, which are taken over from the previous version, and what that changed."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from ai_stack_assets.domain.bsl.symbols import Symbols
from ai_stack_assets.domain.common.difference import row_changes
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.onec.buckets import NO_PART, SYMBOLS, BucketResult, Part, Task, write_rows
from ai_stack_assets.domain.onec.layout import Root, SourceFile
from ai_stack_assets.domain.onec.report import TableChange
from ai_stack_assets.domain.onec.symbol_rows import NO_SYMBOLS, changed_names, names_any
from ai_stack_assets.domain.onec.tables import TABLES, RejectedRow

UNSAFE = "unsafe"
"""The part of `rejected` with what was not even listed."""
_ALL_SYMBOLS = f"{SYMBOLS}/all"


class Draft:
    def __init__(
        self,
        folder: Path,
        root: Root,
        previous: Version | None,
        buckets: dict[str, tuple[SourceFile, ...]],
        unsafe: list[RejectedRow],
    ) -> None:
        self.folder, self.root, self.previous, self.buckets = folder, root, previous, buckets
        self._before: dict[str, Any] = previous.manifest["buckets"] if previous else {}
        self._keys: dict[str, str] = {}
        self._parts: dict[str, dict[str, Part]] = {}
        self._read: dict[str, BucketResult] = {}
        self._files: Counter[str] = Counter()
        self._has_new_symbols = True
        if unsafe:
            self._parts[UNSAFE] = {"rejected": write_rows(unsafe, "rejected", self._part(UNSAFE, "rejected"))}

    # ---- what to do

    def is_known(self, bucket: str, key: str) -> bool:
        """True when the previous version has this bucket with the same files and code: it is taken over."""
        if self._before.get(bucket, {}).get("key") != key:
            return False
        self._keep(bucket)
        return True

    def task(self, bucket: str, cache_file: Path, force: bool = False) -> Task:
        done_key = "" if force else self._before.get(bucket, {}).get("key", "")
        return Task(self.root, bucket, self.buckets[bucket], self.folder, cache_file, done_key)

    def add(self, result: BucketResult) -> None:
        if result.is_unchanged:
            self._keep(result.bucket)
            return
        if result.bucket not in self._read:
            self._files.update(parsed=result.parsed, cached=result.cached)
        self._read[result.bucket] = result
        self._keys[result.bucket] = result.key
        self._parts[result.bucket] = dict(result.parts)

    def affected_by_symbols(self) -> list[str]:
        """Buckets taken over whose calls, references or queries name something that appeared, changed or vanished."""
        if self.previous is None:
            return []
        touched = {*self._read, *(set(self._before) - set(self.buckets))}
        names = set()
        self._has_new_symbols = False
        for bucket in touched:
            before, now = (
                self._symbols(self._symbols_before(bucket)),
                self._symbols(self._symbols_now(bucket)),
            )
            self._has_new_symbols |= before.lines() != now.lines()
            names |= changed_names(before, now)
        kept = [bucket for bucket in self.buckets if bucket not in self._read]
        return [b for b in kept if names_any(names, lambda table, b=b: self._part_before(b, table))]

    def tasks_to_link(self, cache_file: Path) -> list[Task]:
        tasks = [self.task(bucket, cache_file) for bucket in self._read]
        return sorted(tasks, key=lambda task: task.size, reverse=True)

    def write_symbols(self) -> Path:
        """All symbols of the configuration, for the linking processes and the next version."""
        file = self.folder / _ALL_SYMBOLS
        file.parent.mkdir(exist_ok=True)
        if self.previous and not self._has_new_symbols:
            self.previous.take_over(_ALL_SYMBOLS, self.folder)
            self.previous.file(_ALL_SYMBOLS)
        else:
            parts = filter(None, map(self._symbols_now, self.buckets))
            with file.open("wb") as opened:
                Symbols.join((part.read_bytes() for part in parts), opened)
        return file

    def add_linked(self, bucket: str, parts: dict[str, Part]) -> None:
        self._parts[bucket] |= parts

    # ---- what came out

    def file_counts(self) -> dict[str, int]:
        listed = sum(len(files) for files in self.buckets.values())
        touched = self._files["parsed"] + self._files["cached"]
        return {"listed": listed, **self._files, "unchanged": listed - touched}

    def publish(
        self, lake: Lake, configuration: str, source: dict[str, Any]
    ) -> tuple[dict[str, TableChange], Version]:
        self._take_over()
        changes = {table: self._change(table) for table in TABLES}
        shutil.rmtree(self.folder / ".pending", ignore_errors=True)
        manifest = {
            "configuration": configuration,
            "source": source,
            "tables": {t: self._table_entry(t) for t in TABLES},
            "buckets": {
                b: {
                    "key": self._keys.get(b, ""),
                    "parts": {t: list(p) for t, p in sorted(self._parts[b].items())},
                }
                for b in sorted(self._parts)
            },
        }
        content = [
            self.root.layout,
            self.root.name,
            [entry["parts"] for entry in manifest["buckets"].values()],
        ]
        version_id = xxhash.xxh3_128_hexdigest(msgspec.json.encode(content))[:16]
        return changes, lake.publish(configuration, self.folder, version_id, manifest)

    def _table_entry(self, table: str) -> dict[str, Any]:
        parts = {bucket: self._parts[bucket].get(table, NO_PART) for bucket in sorted(self._parts)}
        return {
            "rows": sum(part.rows for part in parts.values()),
            "bytes": sum(part.bytes for part in parts.values()),
            "parts": [f"{bucket}.parquet" for bucket, part in parts.items() if part.rows],
        }

    def _change(self, table: str) -> TableChange:
        entry = self._table_entry(table)
        if self.previous is None:
            return TableChange(entry["rows"], entry["rows"], 0, 0, entry["bytes"])
        buckets = {*self._before, *self._parts}
        touched = [b for b in sorted(buckets) if self._digest_before(b, table) != self._digest_now(b, table)]
        now = _keys_of(self._part(b, table) for b in touched)
        before = _keys_of(p for b in touched if (p := self._part_before(b, table)))
        changes = row_changes(now, before)
        return TableChange(entry["rows"], *(len(ids) for ids in changes), entry["bytes"])

    # ---- taking over from the previous version

    def _keep(self, bucket: str) -> None:
        entry = self._before[bucket]
        self._keys[bucket] = entry["key"]
        self._parts[bucket] = {table: Part(*part) for table, part in entry["parts"].items()}

    def _take_over(self) -> None:
        if self.previous is None:
            return
        for bucket in set(self._parts) - set(self._read) - {UNSAFE}:
            for table in self._parts[bucket]:
                if self._has_before(bucket, table):
                    self.previous.take_over(f"{table}/{bucket}.parquet", self.folder)
            self.previous.take_over(f"{SYMBOLS}/{bucket}", self.folder)

    def _part(self, bucket: str, table: str) -> Path:
        return self.folder / table / f"{bucket}.parquet"

    def _part_before(self, bucket: str, table: str) -> Path | None:
        if self.previous and self._has_before(bucket, table):
            return self.previous.file(f"{table}/{bucket}.parquet")
        return None

    def _has_before(self, bucket: str, table: str) -> bool:
        return bool(self._before.get(bucket, {}).get("parts", {}).get(table, NO_PART)[0])

    def _digest_before(self, bucket: str, table: str) -> str:
        return self._before.get(bucket, {}).get("parts", {}).get(table, NO_PART)[2]

    def _digest_now(self, bucket: str, table: str) -> str:
        return self._parts.get(bucket, {}).get(table, NO_PART).digest

    def _symbols_before(self, bucket: str) -> Path | None:
        if self.previous is None or bucket not in self._before or bucket == UNSAFE:
            return None
        return self.previous.file(f"{SYMBOLS}/{bucket}")

    def _symbols_now(self, bucket: str) -> Path | None:
        if bucket in self._read:
            return self.folder / SYMBOLS / bucket
        return self._symbols_before(bucket) if bucket in self.buckets else None

    @staticmethod
    def _symbols(file: Path | None) -> Symbols:
        """None of what an earlier release wrote: all is read anew then."""
        try:
            return Symbols.from_bytes(file.read_bytes()) if file else NO_SYMBOLS
        except msgspec.ValidationError:
            return NO_SYMBOLS


def _keys_of(parts: Iterable[Path]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("content_hash", pa.string())])
    tables = [
        pq.read_table(part, columns=["id", "content_hash"]).cast(schema) for part in parts if part.exists()
    ]
    return pa.concat_tables(tables) if tables else schema.empty_table()
