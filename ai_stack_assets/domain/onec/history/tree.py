"""A commit's tree as the readers see a folder: which configuration it holds, and which files belong to each of its objects.

Nothing is checked out. Only the few files that can name a configuration are written, to a temporary folder, so that the very
code that looks for configurations in folders decides here too.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from os import stat_result
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.extraction import choose_root
from ai_stack_assets.domain.onec.fact_cache import reader_version
from ai_stack_assets.domain.onec.layout import Root, SourceFile, Walk, discover
from ai_stack_assets.domain.onec.places import EXTERNAL_FOLDERS
from ai_stack_assets.domain.onec.sources_git import Repository

_NAMING = {"Configuration.xml": 0, "Configuration.mdo": 1}
"""Files that name a configuration → folders between them and its root."""
_NO_STAT = stat_result((0,) * 10)


class GroupKey(NamedTuple):
    """One top-level object: its files, and a hash of all that decides what they say."""

    key: bytes
    files: tuple[tuple[str, str, str], ...]
    """Path below the root, role, blob id."""


class Tree(NamedTuple):
    root: Root
    place: str
    """The root's folder in the repository, `.` for its top."""
    groups: dict[str, GroupKey]
    rejected: int
    """Paths that do not belong to the configuration."""


class TreeReader:
    """Trees of commits of one repository, each from what differs from the one before."""

    def __init__(self, repository: Repository, path: str | None) -> None:
        self.repository, self.path = repository, path
        self._commit = ""
        self._contents: dict[str, str] = {}
        self._naming: dict[str, str] = {}
        self._found: tuple[Root, str] | PermanentError | None = None
        self._tree: Tree | None = None

    def read(self, commit: str) -> Tree:
        """
        Raises:
            PermanentError: there is no configuration in that commit, or none at the path.
        """
        changed, same_paths = self._advance(commit)
        before = self._found
        self._find(same_paths)
        if isinstance(self._found, PermanentError):
            self._tree = None
            raise self._found
        assert self._found is not None
        root, place = self._found
        prefix = "" if place == "." else f"{place}/"
        files = {p[len(prefix) :]: blob for p, blob in self._contents.items() if p.startswith(prefix)}
        if self._tree and same_paths and _is_same(before, self._found):
            groups = _renewed(self._tree, files, {p[len(prefix) :] for p in changed if p.startswith(prefix)})
            self._tree = self._tree._replace(groups=groups)
        else:
            listed, rejected = _TreeWalk(root, files).found()
            self._tree = Tree(root, place, _groups(root, listed, files), len(rejected))
        return self._tree

    def _advance(self, commit: str) -> tuple[set[str], bool]:
        """What changed, and whether all of it is other content at known paths."""
        if not self._commit:
            self._contents = self.repository.files(commit)
            self._commit = commit
            return set(self._contents), False
        changed = self.repository.changed(self._commit, commit)
        same_paths = all(blob and path in self._contents for path, blob in changed.items())
        for path, blob in changed.items():
            if blob:
                self._contents[path] = blob
            else:
                self._contents.pop(path, None)
        self._commit = commit
        return set(changed), same_paths

    def _find(self, same_paths: bool) -> None:
        contents = self._contents
        naming = {p: contents[p] for p in self._naming} if same_paths else dict(_naming_files(contents))
        if self._found is None or naming != self._naming:
            self._naming = naming
            try:
                self._found = self._discovered(naming)
            except PermanentError as error:
                self._found = error

    def _discovered(self, naming: dict[str, str]) -> tuple[Root, str]:
        with tempfile.TemporaryDirectory() as scratch:
            # the name of the folder that extraction unpacks to: a broken configuration is called after it
            folder = Path(scratch).resolve() / "files"
            folder.mkdir()
            for path, content in self.repository.read(naming):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content or b"")
            try:
                roots = discover(folder)
            except PermanentError as error:
                raise PermanentError("there is no 1C source in it") from error
            root = choose_root(roots, self.path, folder, "the repository")
            place = root.path.relative_to(folder).as_posix()
            return dataclasses.replace(root, path=Path(place)), place


def _naming_files(contents: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Files of configurations, and outside of their folders all that may be an external processor or report."""
    roots = set()
    for path in contents:
        *folders, name = path.split("/")
        if name in _NAMING and (name.endswith(".xml") or folders[-1:] == ["Configuration"]):
            roots.add("/".join(folders[: len(folders) - _NAMING[name]]))
            yield path, contents[path]
    for path in contents:
        if path.endswith((".xml", ".mdo")) and not any(parent in roots for parent in _parents(path)):
            is_edt = path.endswith(".mdo")
            if not is_edt or (path.split("/")[-3:-2] and path.split("/")[-3] in EXTERNAL_FOLDERS):
                yield path, contents[path]


def _parents(path: str) -> Iterator[str]:
    yield ""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _is_same(before: tuple[Root, str] | PermanentError | None, now: tuple[Root, str]) -> bool:
    return isinstance(before, tuple) and before == now and before[0].children == now[0].children


def _renewed(tree: Tree, blobs: Mapping[str, str], changed: set[str]) -> dict[str, GroupKey]:
    """The groups with other content at the same paths."""
    groups = {}
    for name, group in tree.groups.items():
        if any(path in changed for path, _, _ in group.files):
            group = _group(tree.root, name, tuple((p, role, blobs[p]) for p, role, _ in group.files))
        groups[name] = group
    return groups


def _groups(root: Root, listed: Iterable[SourceFile], blobs: Mapping[str, str]) -> dict[str, GroupKey]:
    in_order = sorted(listed, key=lambda file: (file.group, file.path))
    return {
        name: _group(root, name, tuple((file.path, file.role, blobs[file.path]) for file in members))
        for name, members in groupby(in_order, key=lambda file: file.group)
    }


def _group(root: Root, name: str, files: tuple[tuple[str, str, str], ...]) -> GroupKey:
    head = f"{reader_version()}|{root.layout}|{root.kind}|{root.name}|{name}\n"
    content = head + "\n".join("|".join(file) for file in files)
    return GroupKey(xxhash.xxh3_128_digest(content.encode()), files)


# ---- walking


class _TreeWalk(Walk):
    """The listing of a folder, from the paths of a commit."""

    def __init__(self, root: Root, paths: Iterable[str]) -> None:
        super().__init__(root)
        self.top: dict[str, Any] = {}
        for path in paths:
            *folders, name = path.split("/")
            folder = self.top
            for part in folders:
                folder = folder.setdefault(part, {})
            folder[name] = None

    def _entries(self, folder: str) -> Iterator[Any]:
        content: Any = self.top
        for part in folder.split("/") if folder else ():
            content = (content or {}).get(part)
        for name, below in (content or {}).items():
            yield _Entry(name, below is not None)


class _Entry(NamedTuple):
    """As `os.DirEntry`."""

    name: str
    is_folder: bool

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self.is_folder

    def is_symlink(self) -> bool:
        return False

    def stat(self) -> stat_result:
        return _NO_STAT
