"""A program of the project in a session of its own, so that its children end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@contextlib.contextmanager
def session(command: Sequence[str], log: Path, own: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Args: own: of its environment, beside ours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, "PATH": path, **own},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
