"""Facts of many blobs of one repository: from the cache, else parsed, in several processes when there is much to parse."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.dataset.sources.bsl_methods import FileFacts, facts_key, parse_file
from ai_stack_assets.domain.onec.fact_cache import FactCache
from ai_stack_assets.domain.onec.git_commands import read_blobs

CHUNK = 64
"""Files in one piece of work: about 2 MB of source."""
_INLINE = 16
"""Up to so many files, sending them to another process costs more than parsing them."""
_LFS = b"version https://git-lfs.github.com/spec/"

Blobs = list[tuple[str, bytes]]


class Parsing:
    """Use as a context manager. Processes start when there is work for them."""

    def __init__(self, cache_file: Path, workers: int = 0) -> None:
        self._file = cache_file
        self._cache = FactCache(cache_file)
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Parsing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._cache.__exit__()

    def facts(self, folder: Path, blobs: Sequence[str]) -> Iterator[tuple[str, FileFacts | None]]:
        """Blob and its facts, in order; None for one that the repository in `folder` lacks. Memory: a few chunks."""
        waiting: deque[tuple[list[str], dict[bytes, bytes], Future[Blobs] | Blobs]] = deque()
        rest = iter(blobs)
        while chunk := list(islice(rest, CHUNK)):
            found = self._cache.get(map(facts_key, chunk))
            waiting.append(
                (chunk, found, self._parse(folder, [b for b in chunk if facts_key(b) not in found]))
            )
            if len(waiting) > 2 * self._workers:
                yield from self._finished(*waiting.popleft())
        while waiting:
            yield from self._finished(*waiting.popleft())

    def forget(self, blobs: Sequence[str]) -> None:
        self._cache.delete(map(facts_key, blobs))

    def _parse(self, folder: Path, missing: list[str]) -> Future[Blobs] | Blobs:
        if len(missing) <= _INLINE or self._workers == 1:
            return _parse_blobs(folder, missing)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=_processes())
        return self._pool.submit(_parse_blobs, folder, missing)

    def _finished(
        self, chunk: list[str], found: dict[bytes, bytes], parsed: Future[Blobs] | Blobs
    ) -> Iterator[tuple[str, FileFacts | None]]:
        new = {
            facts_key(b): facts for b, facts in (parsed.result() if isinstance(parsed, Future) else parsed)
        }
        try:
            self._cache.put(new)
        except sqlite3.OperationalError as error:
            raise TransientError(f"GitHub: the cache {self._file} cannot be written: {error}") from error
        found |= new
        for blob in chunk:
            facts = found.get(facts_key(blob))
            yield blob, _decoder.decode(facts) if facts else None


_decoder = msgspec.msgpack.Decoder(FileFacts)


def _parse_blobs(folder: Path, blobs: list[str]) -> Blobs:
    contents = read_blobs(folder, {blob: blob for blob in blobs}) if blobs else ()
    return [(blob, msgspec.msgpack.encode(_facts(data))) for blob, data in contents if data is not None]


def _facts(data: bytes) -> FileFacts:
    if data.startswith(_LFS):
        return FileFacts("rejected", [], "a Git LFS pointer: the file itself lies elsewhere")
    return parse_file(data)


def _processes():
    """Forked from a clean server process: no threads of the caller come along, the imports are done once."""
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
