"""The working copy of a shared lake on this machine: what was read or written here, under its name in the bucket.

    <root>/<configuration>/.parts/<SHA-256>-<draft>.parquet

It can be deleted at any time. Nothing here decides which version is current.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import put_into, size_of
from ai_stack_assets.domain.common.lake_bucket import Bucket

REQUESTS = 8
"""At once. Past eight a pod's network is the limit."""
SPARED_SECONDS = 3600
"""What was used so lately may be in use."""
_PARTS = ".parts"


class WorkingCopy:
    """`limit` bytes of all configurations under one root; more only while they are in use."""

    def __init__(self, root: Path, bucket: Bucket, limit: int) -> None:
        self.root, self.bucket, self.limit = root, bucket, limit

    def part(self, configuration: str, name: str) -> Path:
        """One object of the bucket as a file."""
        file = self.root / configuration / _PARTS / name
        if not file.exists():
            self._download(configuration, file)
        return file

    def fetch(self, configuration: str, links: Sequence[Path]) -> list[Path]:
        """The same paths, now with what they lead to."""
        # marked as used before it is counted on: what is marked is not evicted
        missing = [name for link in links if not self._mark(configuration, name := link.readlink().name)]
        if missing:
            with ThreadPoolExecutor(REQUESTS) as pool:
                list(pool.map(lambda name: self.part(configuration, name), missing))
            self._evict()
        return list(links)

    def adopt(self, configuration: str, path: Path, known: dict[tuple[str, int], str], nonce: str) -> str:
        """Move a file of a draft into the copy and leave a link to it. Returns its name in the bucket.

        `known`: names by SHA-256 and bytes. What was taken over from a version is a link already, to what may not be here.
        """
        if path.is_symlink():
            return path.readlink().name
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        name = known.get((digest, path.stat().st_size)) or f"{digest}-{nonce}{path.suffix}"
        file = self.root / configuration / _PARTS / name
        file.parent.mkdir(parents=True, exist_ok=True)
        path.replace(file)
        path.symlink_to(_target(path, file))
        return name

    def lay_out(self, folder: Path, names: dict[str, str]) -> None:
        """A version's folder: links by path, to files that are fetched when they are read."""
        draft = folder.parent / f".{folder.name}-{uuid.uuid4().hex[:8]}"
        parts = folder.parent / _PARTS
        try:
            for path, name in names.items():
                link = draft / path
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(_target(link, parts / name))
            try:
                draft.rename(folder)
            except OSError:  # it is there already: of the same version, but described otherwise, or laid out at the same time
                put_into(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _download(self, configuration: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}-{uuid.uuid4().hex[:8]}")
        key = f"parts/{configuration}/{file.name}"
        try:
            digest = self.bucket.download(key, draft)
            if digest != file.name.partition("-")[0]:
                fault = "is missing" if digest is None else f"is damaged ({size_of(draft)} bytes): delete it"
                raise PermanentError(
                    f"{self.bucket.url}/{key} {fault}; run the extraction of {configuration!r} again: it makes what is missing"
                )
            draft.replace(file)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise PermanentError(
                f"no space left under {self.root} for the lake's working copy: free some, or lower LAKE_CACHE_GB"
            ) from error
        finally:
            draft.unlink(missing_ok=True)

    def _mark(self, configuration: str, name: str) -> bool:
        """As used now. False when it is not here."""
        try:
            os.utime(self.root / configuration / _PARTS / name)
        except FileNotFoundError:
            return False
        return True

    def _evict(self) -> None:
        """What was used longest ago goes first."""
        found = [
            (stat.st_mtime, stat.st_size, file)
            for file in self.root.glob(f"*/{_PARTS}/*")
            if (stat := _stat(file))
        ]
        excess = sum(size for _, size, _ in found) - self.limit
        limit = time.time() - SPARED_SECONDS
        for used_at, size, file in sorted(found):
            if excess <= 0 or used_at > limit:
                return
            if (now := _stat(file)) and now.st_mtime <= limit:
                file.unlink(missing_ok=True)
                excess -= size


def _target(link: Path, file: Path) -> str:
    """Relative, so that a draft may be renamed and the whole copy moved."""
    return os.path.relpath(file, link.parent)


def _stat(file: Path) -> os.stat_result | None:
    with contextlib.suppress(FileNotFoundError):
        return file.stat()
    return None
