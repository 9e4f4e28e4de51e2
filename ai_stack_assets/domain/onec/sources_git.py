"""A commit of a git repository as plain files, through git's plumbing alone: refs are listed, one commit is
fetched, its blobs are read. Nothing of it is executed, nobody is asked for a password, no wait is without
an end.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.onec.git_commands import read_blobs, run_git
from ai_stack_assets.domain.onec.sources import Checkout, SourceSpec
from ai_stack_assets.domain.onec.sources_tree import MAX_FILES, WorkTree, is_safe, slug

LIST_SECONDS = 30
"""For an answer of the server: an address that nobody answers at must not cost minutes."""
FETCH_SECONDS = 3600
"""For a whole fetch; one that stalls ends after `http.lowSpeedTime`."""
NEAR_REFS = 5

_SHA = re.compile(r"[0-9a-f]{7,40}$")


@contextlib.contextmanager
def git_checkout(spec: SourceSpec, workdir: Path) -> Iterator[Checkout]:
    """The files of a ref (the default branch without one). See `sources.fetch`."""
    repository = Repository(spec, workdir)
    ref, commit = repository.resolve(spec.ref)
    repository.get(commit)
    contents = repository.files(commit)
    if not contents:
        raise PermanentError(f"{spec.uri} has no files at {ref}")
    tree = WorkTree(workdir / "trees" / slug(f"{spec.location}@{ref}"))
    with tree.holding(contents, lambda paths: repository.read({p: contents[p] for p in paths})) as missing:
        yield Checkout(tree.files, spec.uri, commit, ref, missing)


class Repository:
    """The objects of one repository: its own folder when it is local, else a bare mirror. Its past: `git_history`."""

    def __init__(self, spec: SourceSpec, workdir: Path) -> None:
        self.spec = spec
        self.is_local = Path(spec.location).is_dir()
        self.folder = Path(spec.location) if self.is_local else workdir / "mirrors" / slug(spec.location)
        if not self.is_local:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.alone():
                if not (self.folder / "HEAD").exists():
                    self.git("init", "-q", "--bare", ".")

    # ---- what there is

    def resolve(self, wanted: str | None) -> tuple[str, str]:
        """The ref's name as asked for (the default branch's without one), and its commit."""
        listing = self.git("ls-remote", "--symref", "--", self.spec.location, seconds=LIST_SECONDS).decode(
            errors="replace"
        )
        refs: dict[str, str] = {}
        default = "HEAD"
        for line in listing.splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: "):
                default = value.removeprefix("ref: refs/heads/") if name == "HEAD" else default
            else:
                refs[name] = value
        if wanted is None:
            if "HEAD" not in refs:
                raise PermanentError(f"{self.spec.uri} has no commits")
            return default, refs["HEAD"]
        for name in (f"refs/heads/{wanted}", f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}", wanted):
            if name in refs:
                return wanted, refs[name]
        if _SHA.match(wanted) and (commit := self._commit(wanted)):
            return wanted, commit
        raise PermanentError(self._no_ref(wanted, refs))

    def _commit(self, sha: str) -> str | None:
        """The full id of a commit; a short one can only be told with the history at hand."""
        if len(sha) == 40 and (self.has(sha) or not self.is_local):
            return sha
        if not self.is_local and not self._full(sha):
            with self.alone():
                self.fetch_everything()
        return self._full(sha)

    def _full(self, sha: str) -> str | None:
        with contextlib.suppress(PermanentError):
            return self.git("rev-parse", "-q", "--verify", f"{sha}^{{commit}}").decode().strip()
        return None

    def _no_ref(self, wanted: str, refs: dict[str, str]) -> str:
        names = [
            n.split("/", 2)[2]
            for n in refs
            if n.startswith(("refs/heads/", "refs/tags/")) and not n.endswith("^{}")
        ]
        near = difflib.get_close_matches(wanted, names, NEAR_REFS, 0.4) or names[-NEAR_REFS:]
        known = f"; there is: {', '.join(near)}" if near else ""
        return f"{self.spec.uri} has no branch, tag or commit {wanted!r}{known}"

    # ---- getting it

    def get(self, commit: str) -> None:
        """Make the commit's objects available: alone when the server can, else with all branches and tags."""
        if self.has(commit):
            return
        if self.is_local:
            raise PermanentError(f"{self.spec.uri} has no commit {commit}")
        with self.alone():
            if self.has(commit):
                return
            with contextlib.suppress(PermanentError):
                one = ("fetch", "-q", "--depth=1", "--no-tags", "--", self.spec.location, commit)
                self.git(*one, seconds=FETCH_SECONDS)
                return
            self.fetch_everything()
        if not self.has(commit):
            raise PermanentError(f"{self.spec.uri} has no commit {commit}")

    def fetch_everything(self) -> None:
        deepen = ("--unshallow",) if (self.folder / "shallow").exists() else ()
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        # from a shallow clone there is only what it has
        options = ("fetch", "-q", "--force", "--update-shallow", *deepen)
        self.git(*options, "--", self.spec.location, *everything, seconds=FETCH_SECONDS)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Two runs must not fetch into one mirror at once."""
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self.folder}.lock", timeout=FETCH_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            raise TransientError(f"{self.spec.uri}: another process does not stop fetching it") from error
        try:
            yield
        finally:
            lock.release()

    def has(self, commit: str) -> bool:
        with contextlib.suppress(PermanentError):
            self.git("cat-file", "-e", f"{commit}^{{tree}}")
            return True
        return False

    def files(self, commit: str) -> dict[str, str]:
        """Path → blob id. Links and submodules are no files; a path that leads out condemns the commit."""
        listing = self.git("ls-tree", "-r", "-z", "--full-tree", commit, seconds=FETCH_SECONDS)
        contents = {}
        for entry in listing.decode(errors="replace").split("\x00"):
            head, _, path = entry.partition("\t")
            if not head.startswith("100"):
                continue
            if not is_safe(path):
                raise PermanentError(self._unsafe(path, commit))
            contents[path] = head.split()[2]
        if len(contents) > MAX_FILES:
            raise PermanentError(f"{self.spec.uri} has {len(contents)} files: no configuration has so many")
        return contents

    def changed(self, before: str, commit: str) -> dict[str, str | None]:
        """Path → blob id now, None when gone, of what differs between two commits. As `files`, no links."""
        listing = self.git("diff-tree", "-r", "-z", "--no-renames", before, commit, seconds=FETCH_SECONDS)
        changed: dict[str, str | None] = {}
        parts = iter(listing.decode(errors="replace").split("\x00"))
        for head, path in zip(parts, parts, strict=False):
            _, mode, _, blob, _ = head.split()
            if mode.startswith("100") and not is_safe(path):
                raise PermanentError(self._unsafe(path, commit))
            changed[path] = blob if mode.startswith("100") else None
        return changed

    def _unsafe(self, path: str, commit: str) -> str:
        return f"{self.spec.uri}: the path {path!r} in commit {commit[:10]} leads out of the folder"

    def read(self, contents: dict[str, str]) -> Iterator[tuple[str, bytes | None]]:
        return read_blobs(self.folder, contents)

    def git(self, *arguments: str, seconds: float = 120) -> bytes:
        return run_git(arguments, self.folder, seconds, self.spec)
