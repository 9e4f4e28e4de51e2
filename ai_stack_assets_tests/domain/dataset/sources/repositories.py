"""Bare repositories for tests, made by `git fast-import`: any path, any mode, no work tree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

METHOD = "// Складывает.\nФункция Сумма(А, Б = 1) Экспорт\n\tВозврат А + Б;\nКонецФункции\n"
MIT = """MIT License

Copyright (c) 2026 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following
conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions
of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED
TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL
THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
DEALINGS IN THE SOFTWARE.
"""
TIME = 1_760_000_000

Files = dict[str | bytes, str | bytes]
"""Path → content; a path that ends in `@` is a link, in `#` a submodule (the content is its commit)."""


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    names = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=True,
        env={**environment, **names},
    )
    return done.stdout.decode(errors="replace").strip()


def empty(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "main")
    return folder


def commit(repository: Path, files: Files, message: str = "change") -> str:
    """A commit on `main` with these files changed or added. Returns its id."""
    known = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", "main"], cwd=repository, capture_output=True, check=False
    )
    parts = [b"commit refs/heads/main\ncommitter t <t> %d +0000\n" % TIME, _data(message.encode())]
    if known.returncode == 0:
        parts.append(b"from refs/heads/main^0\n")
    for path, content in files.items():
        name = path if isinstance(path, bytes) else path.encode()
        body = content if isinstance(content, bytes) else content.encode()
        if name.endswith(b"#"):
            parts.append(b"M 160000 %s %s\n" % (body, name[:-1]))
        elif name.endswith(b"@"):
            parts += [b"M 120000 inline %s\n" % name[:-1], _data(body)]
        else:
            parts += [b"M 100644 inline %s\n" % name, _data(body)]
    git(repository, "fast-import", "--quiet", "--force", stdin=b"".join(parts))
    return git(repository, "rev-parse", "main")


def repository(folder: Path, files: Files) -> Path:
    commit(empty(folder), files)
    return folder


def tree_commit(repository: Path, listing: bytes) -> str:
    """A commit on `main` of a tree as `git mktree` takes it: names that fast-import refuses."""
    tree = git(repository, "mktree", stdin=listing)
    made = git(repository, "commit-tree", tree, "-m", "hostile")
    git(repository, "update-ref", "refs/heads/main", made)
    return made


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
