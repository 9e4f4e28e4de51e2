"""What each distinct file says, kept by content: a file is parsed once ever, whatever version or configuration holds it.

One SQLite file shared by all processes. It is a cache: a damaged one is set aside and built again.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import xxhash
from filelock import FileLock

_CHUNK = 500
_BUSY_SECONDS = 60
_READER_FOLDERS = ("bsl", "onec")


@cache
def reader_version() -> str:
    """Hash of the readers' own source: any change of their code makes new facts, with nobody to remember a number."""
    digest = hashlib.sha256()
    domain = Path(__file__).parents[1]
    for folder in _READER_FOLDERS:
        for source in sorted((domain / folder).rglob("*.py")):
            digest.update(source.relative_to(domain).as_posix().encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def facts_key(role: str, layout: str, blob_hash: str) -> bytes:
    return xxhash.xxh3_128_digest(f"{reader_version()}/{layout}/{role}/{blob_hash}".encode())


class FactCache:
    """Encoded facts by key. Values are compressed; reading and writing go in batches, one transaction each.

    With `at_once`, what is put waits until there are so many facts, or for the end of `with`: processes wait for each other
    at each transaction.
    """

    def __init__(self, file: Path, at_once: int = 1) -> None:
        import pyarrow as pa

        self._codec = pa.Codec("zstd", compression_level=1)
        self._file, self._at_once = file, at_once
        self._waiting: dict[bytes, tuple[int, bytes]] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "lock" in str(error):
                raise
            self._set_aside()
            self._db = self._open()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        wanted, found = list(keys), {}
        for key in wanted:
            if key in self._waiting:
                size, value = self._waiting[key]
                found[key] = self._codec.decompress(value, size, asbytes=True)
        wanted = [key for key in wanted if key not in found]
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            for key, size, value in self._db.execute(
                f"SELECT key, size, value FROM facts WHERE key IN ({marks})", chunk
            ):
                found[key] = self._codec.decompress(value, size, asbytes=True)
        return found

    def put(self, facts: dict[bytes, bytes]) -> None:
        for key, value in facts.items():
            self._waiting[key] = (len(value), self._codec.compress(value, asbytes=True))
        if len(self._waiting) >= self._at_once:
            self._write()

    def _write(self) -> None:
        rows = [(key, *value) for key, value in self._waiting.items()]
        self._waiting.clear()
        if rows:
            with self._db:
                self._db.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?, ?)", rows)

    def delete(self, keys: Iterable[bytes]) -> None:
        self._write()
        with self._db:
            self._db.executemany("DELETE FROM facts WHERE key = ?", [(key,) for key in keys])

    def __enter__(self) -> FactCache:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._write()
        finally:
            self._db.close()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=_BUSY_SECONDS)
        # SQLite does not wait for others while it switches to WAL: one process at a time
        with FileLock(f"{self._file}.lock", timeout=_BUSY_SECONDS):
            # a lost cache costs one parse: no fsync
            db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
                "CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, size INTEGER NOT NULL, value BLOB NOT NULL);"
            )
        return db

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._file}{suffix}").replace(f"{self._file}{suffix}.damaged")
