"""A lake that many machines share: it lies in a bucket, and each machine has a working copy of what it reads.

    <url>/current/<configuration>.json                         which versions are kept, the current one first
    <url>/parts/<configuration>/<SHA-256>-<draft>.parquet      parts, manifests, lists of files: written once, never changed
    <root>/<configuration>/<version>/<table>/<part>.parquet    -> ../../.parts/<SHA-256>-<draft>.parquet, fetched when it is read

Publishing uploads what the bucket has not, then replaces the first object on the condition that nobody else did since the
version before was looked at: readers see a whole version or the last, and of two publishers one is told to begin again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.common.lake import KEPT_VERSIONS, Lake, Version
from ai_stack_assets.domain.common.lake_bucket import Bucket, Conflict, Listed
from ai_stack_assets.domain.common.lake_copy import REQUESTS, WorkingCopy

if TYPE_CHECKING:
    from obstore import UpdateVersion

GRACE = timedelta(days=1)
"""A version that was replaced, or an object that no version names, is left so long: readers and publishers may still need it.
Nothing that reads or publishes a version may take longer."""
_ATTEMPTS = 5
_LISTING = ".files"
"""In a version's folder: leads to the object that it was made from."""


class Kept(msgspec.Struct, frozen=True):
    """A version that the bucket keeps. `files`: the object that lists its files. `since`: when it became the current one."""

    id: str
    files: str
    since: datetime


Files = dict[str, tuple[str, int]]
"""Name in the bucket and bytes, by path in the version."""


class _Seen(NamedTuple):
    """What `current/<configuration>.json` held when it was looked at, and what tells whether it still does."""

    kept: list[Kept]
    tag: UpdateVersion | None


@dataclass(frozen=True)
class SharedVersion(Version):
    """A version whose files are fetched when they are asked for."""

    lake: SharedLake = field(compare=False, repr=False)

    def files(self, names: Sequence[str]) -> list[Path]:
        return self.lake.copy.fetch(self.configuration, super().files(names))

    def uri(self, table: str) -> str:
        return f"{self.lake.bucket.url}/current/{self.configuration}.json#{self.id}/{table}"


class SharedLake(Lake):
    """`Lake` over a bucket. What is published from a draft succeeds what `current` or `intact` gave last, or is refused."""

    def __init__(
        self, root: Path, bucket: Bucket, *, copy_bytes: int = 20 << 30, grace: timedelta = GRACE
    ) -> None:
        super().__init__(root)
        self.bucket, self.grace = bucket, grace
        self.copy = WorkingCopy(self.root, bucket, copy_bytes)
        self._seen: dict[str, _Seen] = {}

    @property
    def place(self) -> str:
        return self.bucket.url

    def configurations(self) -> list[str]:
        return sorted(Path(listed.key).stem for listed in self.bucket.list("current"))

    def current(self, configuration: str) -> Version | None:
        kept = self._look(configuration).kept
        return self._open(configuration, kept[0]) if kept else None

    def intact(self, configuration: str) -> Version | None:
        kept = self._look(configuration).kept
        there = {_name(o): o.size for o in self._objects(configuration)}
        if not kept or kept[0].files not in there:
            return None
        files = self._files(configuration, kept[0]).values()
        is_whole = all(there.get(name) == size for name, size in files)
        return self._open(configuration, kept[0]) if is_whole else None

    def versions(self, configuration: str) -> list[Version]:
        return [self._open(configuration, kept) for kept in self._look(configuration).kept]

    def switch(self, version: Version) -> None:
        for _ in range(_ATTEMPTS):
            seen = self._look(version.configuration)
            chosen = [kept for kept in seen.kept if kept.id == version.id]
            if not chosen:
                raise PermanentError(
                    f"version {version.id} of {version.configuration!r} is no longer in {self.place}"
                )
            others = [kept for kept in seen.kept if kept.id != version.id]
            now = msgspec.structs.replace(chosen[0], since=datetime.now(UTC))
            with contextlib.suppress(Conflict):
                return self._replace(version.configuration, [now, *others], seen)
        raise TransientError(f"{version.configuration!r} is being published all the time in {self.place}")

    def remove(self, configuration: str) -> None:
        self.bucket.delete([_pointer(configuration)])
        self.bucket.delete([o.key for o in self._objects(configuration)])
        super().remove(configuration)

    # ---- publishing

    def _version(self, configuration: str, path: Path) -> Version:
        return SharedVersion(configuration, path, self)

    def _point(self, path: Path) -> None:
        # used now: by this it is kept here. Which version is current, the bucket says
        os.utime(path)

    def _share(self, configuration: str, version_id: str, draft: Path) -> None:
        seen = self._seen.get(configuration) or self._look(configuration)
        if seen.tag is None:
            self.bucket.verify()
        objects = self._objects(configuration)
        sizes = {_name(o): o.size for o in objects}
        before = self._whole_files(configuration, seen.kept[:1], sizes)
        # the same version again may have been made with less: what it had stays
        files = self._whole_files(configuration, [k for k in seen.kept if k.id == version_id], sizes)
        files |= self._upload(configuration, draft, objects, {name for name, _ in before.values()})
        if seen.kept and (seen.kept[0].id, before) == (version_id, files):
            return
        listing = msgspec.json.encode(files)
        name = f"{sha256_hex(listing)}-{_nonce()}.json"
        self.bucket.write(f"parts/{configuration}/{name}", listing)
        others = [kept for kept in seen.kept if kept.id != version_id]
        try:
            self._replace(configuration, [Kept(version_id, name, datetime.now(UTC)), *others], seen)
        except Conflict as conflict:
            raise TransientError(
                f"{configuration!r} was published by another run meanwhile in {self.place}: begin again from there"
            ) from conflict

    def _upload(self, configuration: str, draft: Path, objects: list[Listed], named: set[str]) -> Files:
        """Bring the draft to the bucket, but for what is there and stays, and leave links in its place."""
        # what no version names may be swept away at any moment, unless it is young: left by a publisher that was stopped
        young = datetime.now(UTC) - self.grace / 2
        there = {_name(o): o.size for o in objects if _name(o) in named or o.modified_at > young}
        known = {(_digest(name), size): name for name, size in there.items()}
        nonce = _nonce()

        def bring(path: Path) -> tuple[str, tuple[str, int]]:
            name = self.copy.adopt(configuration, path, known, nonce)
            size = there.get(name)
            if size is None:
                # new; or taken over and gone from the bucket: then it is still here, or nowhere
                file = self.copy.part(configuration, name)
                self.bucket.write(f"parts/{configuration}/{name}", file)
                size = file.stat().st_size
            return path.relative_to(draft).as_posix(), (name, size)

        paths = sorted(p for p in draft.rglob("*") if p.is_symlink() or p.is_file())
        with ThreadPoolExecutor(REQUESTS) as pool:
            return dict(pool.map(bring, paths))

    def _replace(self, configuration: str, kept: list[Kept], seen: _Seen) -> None:
        """The one moment at which others see a change. Raises Conflict."""
        limit = datetime.now(UTC) - self.grace
        # a version ceased to be current when the one before it in the list began
        old = list(pairwise(kept))[KEPT_VERSIONS - 1 :]
        let_go = [version for after, version in old if after.since < limit]
        kept = [version for version in kept if version not in let_go]
        self.bucket.replace(_pointer(configuration), msgspec.json.encode(kept), seen.tag)
        self._look(configuration)
        if let_go:
            self._sweep(configuration, kept, limit)

    def _sweep(self, configuration: str, kept: list[Kept], limit: datetime) -> None:
        """Delete what no kept version names. Nobody can name it again: new uploads have new names."""
        objects = self._objects(configuration)
        there = {_name(o) for o in objects}
        named = {version.files for version in kept}
        for version in kept:
            if version.files in there:
                named |= {name for name, _ in self._files(configuration, version).values()}
        self.bucket.delete([o.key for o in objects if _name(o) not in named and o.modified_at < limit])

    def _prune(self, configuration: str) -> None:
        """Folders of links that nobody has opened for long."""
        limit = (datetime.now(UTC) - self.grace).timestamp()
        for old in self._folders(configuration)[KEPT_VERSIONS:]:
            if old.stat().st_mtime < limit:
                shutil.rmtree(old, ignore_errors=True)

    # ---- looking

    def _look(self, configuration: str) -> _Seen:
        found = self.bucket.read(_pointer(configuration))
        kept = msgspec.json.decode(found.data, type=list[Kept]) if found else []
        self._seen[configuration] = seen = _Seen(kept, found.tag if found else None)
        return seen

    def _objects(self, configuration: str) -> list[Listed]:
        return self.bucket.list(f"parts/{configuration}")

    def _files(self, configuration: str, version: Kept) -> Files:
        file = self.copy.part(configuration, version.files)
        return msgspec.json.decode(file.read_bytes(), type=Files)

    def _whole_files(self, configuration: str, kept: list[Kept], sizes: dict[str, int]) -> Files:
        """Of the first version, if there is one: those that the bucket has as they should be."""
        if not kept or kept[0].files not in sizes:
            return {}
        files = self._files(configuration, kept[0])
        return {path: (name, size) for path, (name, size) in files.items() if sizes.get(name) == size}

    def _open(self, configuration: str, version: Kept) -> Version:
        """The version's folder in the working copy, made of links to files that may not be there yet."""
        folder = self.folder(configuration) / version.id
        made_from = folder / _LISTING
        if not made_from.is_symlink() or made_from.readlink().name != version.files:
            links = {path: name for path, (name, _) in self._files(configuration, version).items()}
            self.copy.lay_out(folder, {**links, _LISTING: version.files})
            self._prune(configuration)
        self._point(folder)
        return self._version(configuration, folder)


def open_lake(data: Path, url: str, namespace: str, copy_bytes: int) -> Lake:
    """The lake `namespace` (`onec`): in the data folder, or in the bucket when there is an address."""
    if not url:
        return Lake(data / "lake" / namespace)
    return SharedLake(
        data / "cache" / "lake" / namespace, Bucket(url).below(namespace), copy_bytes=copy_bytes
    )


def _pointer(configuration: str) -> str:
    return f"current/{configuration}.json"


def _name(listed: Listed) -> str:
    return listed.key.rpartition("/")[2]


def _digest(name: str) -> str:
    return name.partition("-")[0]


def _nonce() -> str:
    """Makes a name that was never used before, even for the same content."""
    return uuid.uuid4().hex[:8]
