"""Which bytes a file had when it was last read, so that an untouched file is not read again; and the split into buckets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import xxhash

from ai_stack_assets.domain.onec.layout import SourceFile

FILES_PER_BUCKET = 256
_SETTLED_NS = 2_000_000_000
"""A file changed so shortly before it was read may change again within the same tick of its file system's clock."""


class FileStates:
    """Size, time and hash of each file of one folder, in one small file."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._file = folder / xxhash.xxh3_64_hexdigest(str(root.resolve()).encode())
        try:
            self._states = msgspec.msgpack.decode(
                self._file.read_bytes(), type=dict[str, tuple[int, int, str]]
            )
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            self._states = {}

    def known(self, listed: Iterable[SourceFile]) -> list[SourceFile]:
        """The same files with the hashes that can be trusted, in a stable order."""
        known = []
        for state in listed:
            size, mtime_ns, blob_hash = self._states.get(state.path, (-1, -1, ""))
            is_same = size == state.size and mtime_ns == state.mtime_ns
            known.append(state._replace(blob_hash=blob_hash) if is_same else state)
        return sorted(known, key=lambda s: (s.group, s.path))

    def remember(self, read: Iterable[SourceFile]) -> None:
        settled = time.time_ns() - _SETTLED_NS
        fresh = {
            s.path: (s.size, s.mtime_ns, s.blob_hash) for s in read if s.blob_hash and s.mtime_ns < settled
        }
        if not fresh:
            return
        self._states |= fresh
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(msgspec.msgpack.encode(self._states))
        temporary.replace(self._file)


def in_buckets(states: list[SourceFile]) -> dict[str, tuple[SourceFile, ...]]:
    """Split by group into a number of buckets that depends only on the number of files: a power of two, 1 when small."""
    count = 1
    while len(states) > count * FILES_PER_BUCKET * 1.5:
        count *= 2
    buckets: dict[str, list[SourceFile]] = {}
    for state in states:
        number = xxhash.xxh3_64_intdigest(state.group.encode()) % count
        buckets.setdefault(f"{number:04d}", []).append(state)
    return {name: tuple(buckets[name]) for name in sorted(buckets)}
