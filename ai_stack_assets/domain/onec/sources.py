"""Where a configuration comes from: a folder, a git repository at a ref, or a zip file. Gives a folder of
plain files.

A folder is used as it is. Git and zip are unpacked under the work folder by us, file by file: no hooks,
filters or submodules of a stranger's repository run, links are not written, and only what changed since the
last time is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError

FOLDER, GIT, ZIP = "folder", "git", "zip"

_URL = re.compile(r"(?P<host>(?:https?|ssh|git|file)://[^/\s]*)(?P<path>/\S*)$", re.I)
_SCP = re.compile(r"(?P<host>[\w.-]+@[\w.-]+:)(?P<path>(?!//)\S+)$")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_REF = re.compile(r"[^\s~^:?*\[\\\x00-\x1f-][^\s~^:?*\[\\\x00-\x1f]*$")


@dataclass(frozen=True)
class SourceSpec:
    """What a user wrote, understood. `location` is a path or a URL that git takes."""

    kind: str
    location: str
    ref: str | None = None

    @property
    def uri(self) -> str:
        """For people and lineage: never holds a password."""
        return without_credentials(self.location)


@dataclass(frozen=True)
class Checkout:
    """A folder with the files of a source, valid while the context of `fetch` is open."""

    folder: Path
    uri: str
    commit: str | None = None
    ref: str | None = None
    """As asked for; for git without one, the default branch."""
    missing: tuple[str, ...] = ()
    """Paths whose content the repository itself lacks (an incomplete mirror)."""


def parse_source(text: str) -> SourceSpec:
    """Tell a folder, a zip file and a git repository with an optional `@ref` apart.

    The `@` of `git@host:path` and `https://user@host/…` is none of a ref. A local repository with a ref is
    read at that ref; without one it is a folder: what lies there now, committed or not.

    Raises:
        PermanentError: empty, or an address that nothing here can fetch.
    """
    text = text.strip()
    if not text:
        raise PermanentError(
            "the source is empty: give a folder, a git URL with an optional @ref, or a .zip file"
        )
    if match := _remote(text):
        path, ref = _split_ref(match["path"])
        if path.lower().endswith(".zip"):
            raise PermanentError(f"{without_credentials(text)}: download the .zip first, then give its path")
        return SourceSpec(GIT, match["host"] + path, ref)
    if "://" in text:
        scheme = text.partition(":")[0]
        raise PermanentError(
            f"{scheme}:// is no source: use a folder, a .zip file, or https://, ssh://, git:// or file://"
        )
    return _parse_path(text)


def is_remote(text: str) -> bool:
    """An address that git fetches from, not a path of this machine."""
    return "://" in text or _remote(text) is not None


def _remote(text: str) -> re.Match[str] | None:
    return _URL.match(text) or _SCP.match(text)


def _parse_path(text: str) -> SourceSpec:
    path = Path(text).expanduser()
    if not path.exists():
        location, ref = _split_ref(text)
        repository = Path(location).expanduser()
        if ref and repository.is_dir():
            return SourceSpec(GIT, str(repository.absolute()), ref)
    if path.is_dir():
        is_bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
        return SourceSpec(GIT if is_bare else FOLDER, str(path.absolute()))
    is_zip = path.is_file() or path.suffix.lower() == ".zip"
    return SourceSpec(ZIP if is_zip else FOLDER, str(path.absolute()))


def _split_ref(path: str) -> tuple[str, str | None]:
    """`/group/repo.git@branch/x` → its two parts. A folder may be named `@scope`."""
    before, at, ref = path.rpartition("@")
    if not at or not before or before.endswith("/") or not _REF.match(ref):
        return path, None
    return before, ref


def without_credentials(text: str) -> str:
    return _CREDENTIALS.sub("", text)


@contextlib.contextmanager
def fetch(spec: SourceSpec, workdir: Path) -> Iterator[Checkout]:
    """The files of a source, in a folder that does not change while the context is open.

    Args:
        workdir: keeps mirrors and unpacked files between calls; may be shared by processes.

    Raises:
        PermanentError: it does not exist, is empty, needs a password, has no such ref, is unsafe to unpack.
        TransientError: the network or the server is in the way.
    """
    if spec.kind == GIT:
        from ai_stack_assets.domain.onec.sources_git import git_checkout

        with git_checkout(spec, workdir) as checkout:
            yield checkout
    elif spec.kind == ZIP:
        from ai_stack_assets.domain.onec.sources_zip import zip_checkout

        with zip_checkout(spec, workdir) as checkout:
            yield checkout
    else:
        yield _folder(spec)


def _folder(spec: SourceSpec) -> Checkout:
    folder = Path(spec.location)
    if not folder.exists():
        raise PermanentError(f"the folder {folder} does not exist")
    try:
        is_empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise PermanentError(f"the folder {folder} cannot be read: {error.strerror}") from error
    if is_empty:
        raise PermanentError(f"the folder {folder} is empty")
    return Checkout(folder.resolve(), folder.resolve().as_uri())
