"""A Python process that has a few distributions with what they require, and nothing else: no project, no environment."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SECONDS = 180


def linked(names: Iterable[str], folder: Path) -> Path:
    """A folder of links to the installed files of these distributions and of all that they require, to be put on `sys.path`."""
    folder.mkdir()
    waiting, done = [_bare(name) for name in names], set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # required on other systems only
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distribution.locate_file(top))))
        waiting += [_bare(each) for each in distribution.requires or () if "extra ==" not in each]
    return folder


def run(packages: Path, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(packages, script, *arguments),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **apart(packages),
    )


def command(packages: Path, script: Path, *arguments: str) -> list[str]:
    """Of a script with the standard library and `packages` alone: -I, -S leave out the environment and site-packages."""
    begin = (
        f"import runpy, sys; sys.path.append({str(packages)!r}); sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return [sys.executable, "-ISB", "-c", begin, str(script), *arguments]


def apart(packages: Path) -> dict[str, Any]:
    """Options of `Popen`: no variable and no folder of this process."""
    return {"cwd": packages.parent, "env": {"HOME": str(packages.parent), "PATH": "/usr/bin:/bin"}}


def _bare(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;(]", requirement.strip(), maxsplit=1)[0].lower()
