"""A hub that is a folder: where a dataset is published when no Hugging Face repository is set.

<root>/<owner>/<name>/commits/<id>/…     every revision; unchanged files are hard links
<root>/<owner>/<name>/main -> commits/<id>          datasets.load_dataset("<root>/<owner>/<name>/main")
<root>/<owner>/<name>/tags/<week> -> ../commits/<id>
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from filelock import FileLock

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.hashing import sha256_file
from ai_stack_assets.domain.dataset.publishing.hub import MAIN, Head, StaleParent


class FolderHub:
    def __init__(self, root: Path, repository: str) -> None:
        self.repository = repository
        self.folder = Path(root) / repository

    def head(self, revision: str) -> Head | None:
        link = next(
            (p for p in (self._branch(revision), self.folder / "tags" / revision) if p.is_symlink()),
            self.folder,
        )
        return Head(link.resolve().name, _contents(link.resolve())) if link.is_symlink() else None

    def commit(
        self, branch: str, parent: Head | None, files: Mapping[str, Path], removed: list[str], message: str
    ) -> str:
        """`message` is kept beside the revision. Killed at any moment, this leaves the branch where it was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            head = self.head(branch)
            if (head and head.commit) != (parent and parent.commit):
                raise StaleParent
            with self._draft() as draft:
                if head:
                    _copy_tree(self._commit(head.commit), draft, skip={*files, *removed})
                for name, path in files.items():
                    _place(path, draft / name)
                content = "\n".join(f"{name} {digest}" for name, digest in sorted(_contents(draft).items()))
                commit = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
                if not self._commit(commit).exists():
                    draft.rename(self._commit(commit))
            (self.folder / "commits" / f"{commit}.txt").write_text(message)
            _point(self._branch(branch), self._commit(commit))
        return commit

    def tag(self, name: str, commit: str) -> None:
        _point(self.folder / "tags" / name, self._commit(commit))

    def tags(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "tags").glob("[!.]*"))

    def download(self, revision: str, folder: Path) -> Path:
        places = [self._branch(revision), self.folder / "tags" / revision, self._commit(revision)]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            raise PermanentError(f"{self.folder} has no branch, tag or commit {revision!r}")
        shutil.copytree(found, folder, dirs_exist_ok=True)
        return folder

    def url(self, commit: str) -> str:
        return self._commit(commit).as_uri()

    def _branch(self, branch: str) -> Path:
        return self.folder / branch if branch == MAIN else self.folder / "branches" / branch

    def _commit(self, commit: str) -> Path:
        return self.folder / "commits" / commit

    @contextlib.contextmanager
    def _draft(self) -> Iterator[Path]:
        draft = self.folder / "commits" / ".draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def _copy_tree(source: Path, target: Path, skip: set[str]) -> None:
    for path in source.rglob("*"):
        name = path.relative_to(source).as_posix()
        if path.is_file() and name not in skip:
            _place(path, target / name)


def _place(source: Path, target: Path) -> None:
    """A hard link where the file system allows one: published files are never written again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _point(link: Path, target: Path) -> None:
    """By one rename: readers find the old target or the new one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    beside = link.with_name(f".{link.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(target, link.parent))
    beside.replace(link)
