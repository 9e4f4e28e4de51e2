"""One bucket of a configuration: the files of some top-level objects, read, assembled and written as one part per table.

Buckets bound memory and are the unit of work of a process. A bucket is done in two steps, because calls and references
point anywhere: `read_bucket` writes what stands alone and tells its symbols; `link_bucket` resolves the rest against all.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import xxhash

from ai_stack_assets.domain.bsl.symbols import Symbols
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.common.lake import write_part
from ai_stack_assets.domain.onec.fact_cache import FactCache, reader_version
from ai_stack_assets.domain.onec.layout import Root, SourceFile
from ai_stack_assets.domain.onec.xml import MAX_BYTES

STANDALONE, LINKED = (
    ("objects", "fields", "modules", "methods", "rejected"),
    ("references", "calls", "queries"),
)

SYMBOLS = ".symbols"
"""Folder of a version: what each bucket adds to the symbols of the configuration, and all of them."""


FACTS_AT_ONCE = 1_000


class Part(NamedTuple):
    """One part of a table. No file when it has no rows."""

    rows: int
    bytes: int
    digest: str


NO_PART = Part(0, 0, "")


@dataclass(frozen=True)
class Task:
    """What a worker needs to do one bucket. `done_key`: stop when the files turn out to make this key."""

    root: Root
    bucket: str
    files: tuple[SourceFile, ...]
    draft: Path
    cache_file: Path
    done_key: str = ""

    @property
    def size(self) -> int:
        """Bytes of its files. Large tasks go first, so that no process is left with one at the end."""
        return sum(state.size for state in self.files)

    def part_path(self, table: str) -> Path:
        return self.draft / table / f"{self.bucket}.parquet"

    @property
    def symbols_path(self) -> Path:
        return self.draft / SYMBOLS / self.bucket

    @property
    def pending_path(self) -> Path:
        """What `read_bucket` leaves for `link_bucket`; gone when the version is published."""
        return self.draft / ".pending" / self.bucket


@dataclass
class BucketResult:
    bucket: str
    files: tuple[SourceFile, ...]
    key: str
    is_unchanged: bool = False
    parts: dict[str, Part] = field(default_factory=dict)
    parsed: int = 0
    cached: int = 0


def bucket_key(root: Root, files: Iterable[SourceFile]) -> str:
    """What decides a bucket's content: the readers' code, where it belongs, and every file's role, place and bytes."""
    digest = xxhash.xxh3_128(f"{reader_version()}|{root.layout}|{root.kind}|{root.name}".encode())
    for state in files:
        content = state.blob_hash or str(state.size)
        digest.update(f"\n{state.path}|{state.role}|{content}".encode())
    return digest.hexdigest()


def without_gc(work: Callable) -> Callable:
    """Rows make no cycles, and looking for some in millions of them takes a tenth of the time."""

    @wraps(work)
    def wrapped(*args: Any) -> Any:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return work(*args)
        finally:
            if was_enabled:
                gc.enable()

    return wrapped


@without_gc
def read_bucket(task: Task) -> BucketResult:
    """Read, parse (or find in the cache) and assemble; write the tables that need nothing from outside the bucket."""
    from ai_stack_assets.domain.onec.groups import GroupFiles, RowCollector

    groups = [list(files) for _, files in groupby(task.files, key=lambda state: state.group)]
    read: dict[str, bytes] = {}
    _announce(task)
    if task.done_key:
        hashed = tuple(_hashed(task.root, state, read) for state in task.files)
        key = bucket_key(task.root, hashed)
        if key == task.done_key:
            return BucketResult(task.bucket, hashed, key, is_unchanged=True)
    collector = RowCollector(task.root)
    states: list[SourceFile] = []
    parsed = cached = 0
    with FactCache(task.cache_file, FACTS_AT_ONCE) as cache:
        for group in groups:
            files = GroupFiles(task.root, group, cache, read)
            collector.add(group[0].group, files)
            states += files.states
            parsed += files.parsed
            cached += files.cached
    result = BucketResult(
        task.bucket, tuple(states), bucket_key(task.root, states), parsed=parsed, cached=cached
    )
    task.symbols_path.parent.mkdir(parents=True, exist_ok=True)
    task.symbols_path.write_bytes(collector.symbols().to_bytes())
    for table in STANDALONE:
        result.parts[table] = write_rows(collector.tables[table], table, task.part_path(table))
    task.pending_path.parent.mkdir(parents=True, exist_ok=True)
    task.pending_path.write_bytes(msgspec.msgpack.encode(collector.pending))
    return result


@without_gc
def link_bucket(task: Task, symbols_file: Path) -> dict[str, Part]:
    """Resolve the bucket's references, calls and queries against the symbols of the whole configuration; write them."""
    from ai_stack_assets.domain.onec.groups import Pending
    from ai_stack_assets.domain.onec.linking import link

    pending = msgspec.msgpack.decode(task.pending_path.read_bytes(), type=Pending)
    tables = link(pending, _load_symbols(symbols_file))
    return {table: write_rows(tables[table], table, task.part_path(table)) for table in LINKED}


def _load_symbols(file: Path) -> Symbols:
    stat = file.stat()
    return _symbols_of(file, stat.st_ino, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _symbols_of(file: Path, inode: int, mtime_ns: int) -> Symbols:
    """A process links many buckets; every version has a file of the same name, told apart by the other arguments."""
    with file.open("rb") as opened:
        return Symbols.from_bytes(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))


def _announce(task: Task) -> None:
    """Have the system read ahead what comes: else this process waits for the disk at each of many small files."""
    if not hasattr(os, "posix_fadvise"):
        return
    for state in task.files:
        if not (task.done_key and state.blob_hash) and state.size <= MAX_BYTES:
            with contextlib.suppress(OSError):  # it is told when the file is read
                handle = os.open(task.root.path / state.path, os.O_RDONLY)
                try:
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
                finally:
                    os.close(handle)


def _hashed(root: Root, state: SourceFile, read: dict[str, bytes]) -> SourceFile:
    if state.blob_hash or state.size > MAX_BYTES:
        return state
    try:
        read[state.path] = data = (root.path / state.path).read_bytes()
    except OSError:
        return state
    return state._replace(blob_hash=sha256_hex(data))


def write_rows(rows: list, table: str, path: Path) -> Part:
    """One part of a table, named by what is in it."""
    size = write_part(rows, table, path)
    return Part(len(rows), size, xxhash.xxh3_128_hexdigest(path.read_bytes())) if size else NO_PART
