"""Vectors already paid for: by text, one file per vectoriser version. For the ones that are slow or cost
money.

The default one makes a vector in 0.1 ms: reading it back would take longer, so it has no cache.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.hashing import text_hash

if TYPE_CHECKING:
    import numpy as np

    from ai_stack_assets.domain.vectorisers.contract import Vectoriser

_PER_WRITE = 256
"""Texts encoded before they are written: what an interruption may lose."""
_PER_READ = 500
_WAIT_SECONDS = 60.0


class Cached:
    """The vectoriser itself, but for texts that it has seen. Documents only: queries seldom come twice."""

    def __init__(self, inner: Vectoriser, folder: Path) -> None:
        self.inner, self.folder = inner, folder
        self.name, self.version = inner.name, inner.version

    @property
    def size(self) -> int:
        return self.inner.size

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        keys = [text_hash(text) for text in texts]
        with self._database() as database:
            known = _read(database, set(keys))
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            names = list(missing)
            for start in range(0, len(names), _PER_WRITE):
                part = names[start : start + _PER_WRITE]
                vectors = self.inner.encode_documents([missing[key] for key in part])
                fresh = {key: vector.tobytes() for key, vector in zip(part, vectors, strict=True)}
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", fresh.items())
                database.commit()
                known |= fresh
        size = self.size if not keys else len(known[keys[0]]) // 4
        flat = b"".join(known[key] for key in keys)
        return np.frombuffer(flat, np.float32).reshape(len(keys), size)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.inner.encode_queries(texts)

    @contextlib.contextmanager
    def _database(self) -> Generator[sqlite3.Connection]:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.name}-{self.version}.sqlite"
        with contextlib.closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (text TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID"
            )
            yield database


def _read(database: sqlite3.Connection, keys: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), _PER_READ):
        part = wanted[start : start + _PER_READ]
        marks = ",".join("?" * len(part))
        found.update(database.execute(f"SELECT text, vector FROM vectors WHERE text IN ({marks})", part))
    return found
