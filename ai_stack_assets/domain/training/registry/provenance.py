"""Which code a model was made by: the commit of this package's repository, or the release."""

from __future__ import annotations

import importlib.metadata
import subprocess
from functools import cache
from pathlib import Path

SECONDS = 10


@cache
def code_revision() -> str:
    """Forty digits, with `-dirty` when something is not committed; `ai_stack_assets 1.2.0` for an installed package."""
    package = Path(__file__).resolve().parents[3]
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        # the folder above has to be the repository itself: an installed package may lie in somebody else's
        done = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=SECONDS)
        if not done.returncode and (package.parent / ".git").exists():
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    try:
        return f"{package.name} {importlib.metadata.version(package.name)}"
    except importlib.metadata.PackageNotFoundError:
        return ""
