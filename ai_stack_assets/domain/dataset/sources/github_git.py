"""A shallow bare copy of one repository at its newest commit, and its files by blob. Nothing is checked out, nothing of it runs.

<cache>/mirrors/<name>-<hash>/            git's own
<cache>/mirrors/<name>-<hash>.json        what it holds, for whom it is (`Kept`)
"""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.onec.git_commands import run_git
from ai_stack_assets.domain.onec.sources import GIT, SourceSpec
from ai_stack_assets.domain.onec.sources_tree import slug

KEPT_COMMITS = 2
"""A run that reads the commit before must not lose it under its feet."""
MOST_PACKS = 20
MOST_LISTING_BYTES = 256 << 20
"""About two million files. A few trees that name one another can list more than any disk holds."""
_BLOCK, _SLACK = 512, 1 << 16
_REF = "refs/kept/"
_EMPTY = re.compile(r"couldn't find remote ref HEAD")


class TooLarge(PermanentError):
    """Larger than the settings allow."""


class Empty(PermanentError):
    """A repository without commits."""


class Kept(msgspec.Struct, frozen=True):
    name: str
    commits: list[str]
    """Newest first."""
    committed_at: datetime | None
    marker: str = ""
    ref: str = ""


class Entry(NamedTuple):
    """A file of a commit; `mode` is git's: 100644, 120000 for a link, 160000 for a submodule."""

    path: str
    blob: str
    size: int
    mode: str


class Mirror:
    """Many processes may use one; a kill at any moment leaves something that the next one goes on with."""

    def __init__(self, cache: Path, name: str, location: str = "", token: str = "") -> None:
        self.name = name
        self.spec = SourceSpec(GIT, location)
        self.folder = cache / "mirrors" / slug(name.casefold())
        self._token = token
        self._file = self.folder.with_suffix(".json")
        self.folder.parent.mkdir(parents=True, exist_ok=True)

    def kept(self) -> Kept | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError):
            return None
        return kept if self.has(kept.commits[0]) else None

    def update(self, ref: str, marker: str, *, seconds: float, most_bytes: int) -> Kept:
        """Bring the newest commit of a ref (a branch, a tag, a full commit id; empty: the default branch) here.

        Args:
            marker: when not empty and the same as last time, the server is not asked.

        Raises:
            PermanentError: it does not exist, needs a password; `Empty`, `TooLarge`.
            TransientError: the network, the server, or another process that does not end.
        """
        with self._alone(seconds):
            kept = self.kept()
            if kept and marker and (kept.marker, kept.ref) == (marker, ref):
                return kept
            self._prepare()
            self._fetch(ref or "HEAD", seconds, most_bytes)
            commit = self._git("rev-parse", f"{_REF}new^{{commit}}").decode().strip()
            self._git("update-ref", _REF + commit, commit)
            commits = [commit, *(c for c in (kept.commits if kept else []) if c != commit)]
            for old in commits[KEPT_COMMITS:]:
                self._git("update-ref", "-d", _REF + old)
            now = Kept(self.name, commits[:KEPT_COMMITS], self._committed_at(commit), marker, ref)
            temporary = self._file.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(now))
            temporary.replace(self._file)
            if sum(1 for _ in (self.folder / "objects/pack").glob("*.pack")) > MOST_PACKS:
                self._git("repack", "-adq", seconds=seconds)
            return now

    def entries(self, commit: str) -> Iterator[Entry]:
        """All files of a commit, links and submodules too, in order of path. Paths that are not UTF-8 are escaped."""
        listing = self.folder / f"{commit}.{uuid.uuid4().hex}.listing"
        # into a file that cannot outgrow its limit: trees can be built that list without an end
        under = ("sh", "-c", f'ulimit -f {MOST_LISTING_BYTES // _BLOCK}; exec "$@" >"$0"', listing.name)
        try:
            with self._limited(MOST_LISTING_BYTES, "", listing.name):
                self._git("ls-tree", "-r", "-z", "-l", "--full-tree", commit, seconds=600, under=under)
            with listing.open("rb") as file:
                for entry in _entries_of(file):
                    head, _, path = entry.partition(b"\t")
                    mode, _, blob, size = head.decode().split()
                    number = int(size) if size.isdigit() else 0
                    yield Entry(path.decode("utf-8", "backslashreplace"), blob, number, mode)
        finally:
            listing.unlink(missing_ok=True)

    def remove(self) -> None:
        with self._alone(60):
            self._file.unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- git

    def _prepare(self) -> None:
        """A sound, empty or filled repository without the left-overs of a killed git."""
        if (self.folder / "HEAD").exists():
            for left in (*self.folder.rglob("*.lock"), *(self.folder / "objects/pack").glob("tmp_*")):
                left.unlink(missing_ok=True)
            with contextlib.suppress(PermanentError):
                self._git("rev-parse", "--git-dir")
                return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self._git("init", "-q", "--bare", ".")

    def _fetch(self, ref: str, seconds: float, most_bytes: int) -> None:
        # one pack for each fetch, so that the limit for a file is one for the whole
        limit = ("sh", "-c", f'ulimit -f {most_bytes // _BLOCK}; exec "$@"', "sh")
        options = ("fetch", "-q", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force")
        try:
            with self._limited(most_bytes, "objects/pack", "tmp_*"):
                self._git(
                    *options, "--", self.spec.location, f"{ref}:{_REF}new", seconds=seconds, under=limit
                )
        except PermanentError as error:
            if _EMPTY.search(str(error)):
                raise Empty(f"{self.name} has no commits") from error
            raise

    @contextlib.contextmanager
    def _limited(self, most_bytes: int, folder: str, pattern: str) -> Iterator[None]:
        """Tells from other faults that git was stopped because a file had grown to its limit: git itself does not say it."""
        try:
            yield
        except (PermanentError, TransientError) as error:
            sizes = [file.stat().st_size for file in (self.folder / folder).glob(pattern)]
            if max(sizes, default=0) > most_bytes - _SLACK:
                limit = f"{most_bytes / 2**20:.0f} MB"
                raise TooLarge(f"{self.name} is larger than the settings allow, {limit}") from error
            raise

    def has(self, commit: str) -> bool:
        with contextlib.suppress(PermanentError, OSError):
            self._git("cat-file", "-e", f"{commit}^{{tree}}")
            return True
        return False

    def _committed_at(self, commit: str) -> datetime | None:
        seconds = self._git("log", "-1", "--format=%ct", commit).decode().strip()
        try:
            return datetime.fromtimestamp(int(seconds), UTC)
        except (ValueError, OverflowError, OSError):
            return None

    def _git(self, *arguments: str, seconds: float = 120, under: tuple[str, ...] = ()) -> bytes:
        environment = self._environment()
        return run_git(arguments, self.folder, seconds, self.spec, environment=environment, under=under)

    def _environment(self) -> dict[str, str]:
        """git's settings by environment: arguments can be seen by all users of the machine. `GIT_DIR`, because the cache may lie
        inside of another repository, which git would take for a damaged one."""
        settings = {"fetch.unpackLimit": "1"}
        if self._token and self.spec.location.startswith("https://"):
            site = "https://" + urlsplit(self.spec.location).netloc
            secret = base64.b64encode(f"x-access-token:{self._token}".encode()).decode()
            settings[f"http.{site}/.extraHeader"] = f"Authorization: Basic {secret}"
        environment = {"GIT_DIR": ".", "GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return environment

    @contextlib.contextmanager
    def _alone(self, seconds: float) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(f"{self.folder}.lock", timeout=seconds):
                yield
        except Timeout as error:
            raise TransientError(f"{self.name}: another process does not stop fetching it") from error


def mirrors(cache: Path) -> list[Kept]:
    """What the cache holds, whether or not it is still wanted."""
    found = []
    for file in sorted((cache / "mirrors").glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            found.append(msgspec.json.decode(file.read_bytes(), type=Kept))
    return found


def _entries_of(file, block: int = 1 << 20) -> Iterator[bytes]:
    """Pieces between NUL bytes."""
    rest = b""
    while data := file.read(block):
        *pieces, rest = (rest + data).split(b"\0")
        yield from pieces
