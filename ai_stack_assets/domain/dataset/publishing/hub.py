"""Publishing a set of files as one revision that readers see whole or not at all. The same for a folder and for a Hub.

A hub has branches and tags like a git repository. `publish` compares the wanted files with the branch's head by content, makes
one commit only when they differ, and tags it with the week. Only the files under OWNED are ours: others in the repository stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.common.hashing import sha256_file

OWNED = ("README.md", "statistics.json", "data/", "jsonl/")
MAIN = "main"
_TRIES = 4


class StaleParent(Exception):
    """Someone has committed since the head was read."""


@dataclass(frozen=True)
class Head:
    """Newest commit of a branch."""

    commit: str
    files: Mapping[str, str]
    """Path → content id: SHA-256 of a large file, git's SHA-1 of a small one."""


@dataclass(frozen=True)
class Published:
    repository: str
    commit: str
    branch: str
    tag: str
    url: str
    is_new: bool
    """False when the head already was what was wanted."""


class Hub(Protocol):
    repository: str

    def head(self, revision: str) -> Head | None:
        """Commit of a branch or a tag; None when that (or the repository) does not exist yet."""
        ...

    def commit(
        self, branch: str, parent: Head | None, files: Mapping[str, Path], removed: list[str], message: str
    ) -> str:
        """One atomic commit; its id. Raises StaleParent when `parent` is not the head any more."""
        ...

    def tag(self, name: str, commit: str) -> None:
        """Point the tag at the commit, wherever it pointed before."""
        ...

    def tags(self) -> list[str]:
        """Names; none when the repository does not exist yet."""
        ...

    def download(self, revision: str, folder: Path) -> Path:
        """The files of a branch, tag or commit, fetched anew."""
        ...

    def url(self, commit: str) -> str: ...


def publish(
    hub: Hub,
    files: Mapping[str, Path],
    week: str,
    message: str,
    branch: str = MAIN,
    say: Callable[[str], None] = lambda _: None,
) -> Published:
    """Make the branch hold exactly these files of ours, and the tag `week` point there.

    Raises:
        TransientError: others kept committing in between, or the hub cannot be reached.
        PermanentError: the hub refuses; the message names the setting.
    """
    contents = {name: (sha256_file(path), git_blob_id(path)) for name, path in files.items()}
    tagged = hub.head(week) if branch != MAIN else None
    if tagged and not any(_difference(tagged, contents)):
        return Published(hub.repository, tagged.commit, branch, week, hub.url(tagged.commit), False)
    for attempt in range(_TRIES):
        head = hub.head(branch)
        names, removed = _difference(head, contents)
        changed = {name: files[name] for name in names}
        if head and not changed and not removed:
            commit, is_new = head.commit, attempt > 0
            break
        try:
            say(f"{hub.repository}: {len(changed)} files to send, {len(removed)} to remove")
            commit, is_new = hub.commit(branch, head, changed, removed, message), True
            break
        except StaleParent:
            say(f"{hub.repository}: {branch} has moved, comparing again")
    else:
        raise TransientError(
            f"{hub.repository}: {branch} moved {_TRIES} times while it was being published; try again"
        )
    hub.tag(week, commit)
    return Published(hub.repository, commit, branch, week, hub.url(commit), is_new)


def _difference(head: Head | None, contents: Mapping[str, tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Names of our files that the commit lacks or has otherwise, and of those that it has and should not."""
    there = head.files if head else {}
    changed = [name for name, ids in contents.items() if there.get(name) not in ids]
    return changed, sorted(name for name in there if name.startswith(OWNED) and name not in contents)


def git_blob_id(path: Path) -> str:
    """What git calls the file's content: SHA-1 with a header of its size. Empty for what is always stored by SHA-256."""
    if path.stat().st_size > 10 * 2**20:
        return ""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
