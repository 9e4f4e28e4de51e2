"""A folder kept equal to a list of files from elsewhere (a commit, a zip); only what changed is written."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

LOCK_SECONDS = 600
MAX_TOTAL_BYTES = 8 * 2**30
"""Of one unpacked source. The largest public configurations have 2 GB."""
MAX_FILES = 1_000_000

Reader = Callable[[list[str]], Iterable[tuple[str, bytes | None]]]
"""Paths → (path, content or None when the source lacks it), in any order."""


class _State(msgspec.Struct):
    """What lies in the tree: path → content id, and the paths that could not be had."""

    contents: dict[str, str] = {}
    missing: list[str] = []


class WorkTree:
    """Files under `<folder>/files`, what they are in `<folder>/files.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self._state_file = folder, folder / "files", folder / "files.json"
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def holding(self, wanted: dict[str, str], read: Reader) -> Iterator[tuple[str, ...]]:
        """The tree with exactly these files (path → content id), unchanged while the context is open. Many
        may hold one state at once; who wants another waits. Gives the paths that the source lacks."""
        with (self.folder / "lock").open("w") as lock:
            while True:
                _lock(lock, fcntl.LOCK_SH, self.folder)
                state = self._state()
                if state.contents == wanted:
                    break
                fcntl.flock(lock, fcntl.LOCK_UN)
                _lock(lock, fcntl.LOCK_EX, self.folder)
                # between two locks another process may have made another state: look again
                self._synchronise(wanted, read)
            yield tuple(state.missing)

    def _synchronise(self, wanted: dict[str, str], read: Reader) -> None:
        have = self._state().contents
        if have == wanted:
            return
        # a kill from here on leaves no state: the next call starts from nothing
        self._state_file.unlink(missing_ok=True)
        if not have:
            shutil.rmtree(self.files, ignore_errors=True)
        for path in have.keys() - wanted.keys():
            (self.files / path).unlink(missing_ok=True)
        missing = self._write([path for path, content in wanted.items() if have.get(path) != content], read)
        temporary = self._state_file.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(_State(wanted, sorted(missing))))
        temporary.replace(self._state_file)

    def _state(self) -> _State:
        try:
            return msgspec.json.decode(self._state_file.read_bytes(), type=_State)
        except (OSError, msgspec.DecodeError):
            return _State()

    def _write(self, paths: list[str], read: Reader) -> list[str]:
        self.files.mkdir(exist_ok=True)
        missing, total, folders = [], 0, set()
        for path, content in read(paths):
            if content is None:
                missing.append(path)
                continue
            total += len(content)
            if total > MAX_TOTAL_BYTES:
                limit = MAX_TOTAL_BYTES // 2**30
                raise PermanentError(
                    f"the source unpacks to more than {limit} GB: no configuration is so large"
                )
            target = self.files / path
            if target.parent not in folders:
                _make_folder(target.parent)
                folders.add(target.parent)
            target.write_bytes(content)
        return missing


def _make_folder(folder: Path) -> None:
    """Also where a file of that name lay in the last state."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        for parent in folder.parents:
            if parent.is_file():
                parent.unlink()
        if folder.is_file():
            folder.unlink()
        folder.mkdir(parents=True, exist_ok=True)


def is_safe(path: str) -> bool:
    """Stays below the folder that it is unpacked into, on any system."""
    parts = path.split("/")
    return not (
        "\\" in path
        or "\x00" in path
        or re.match(r"[A-Za-z]:", path)
        or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    )


def slug(location: str) -> str:
    """A folder name for a location: readable, unique."""
    name = re.sub(r"[^\w.-]+", "-", location.rstrip("/").rsplit("/", 1)[-1])[-40:].strip(".-") or "source"
    return f"{name}-{hashlib.sha256(location.encode()).hexdigest()[:12]}"


def _lock(file: IO[str], how: int, folder: Path) -> None:
    """As `flock`, but gives up at last."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise TransientError(
                    f"another process has been using another state of {folder} for {LOCK_SECONDS} s"
                ) from error
            time.sleep(0.05)
