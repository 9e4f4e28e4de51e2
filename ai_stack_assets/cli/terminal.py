"""What the user sees, apart from all that libraries and step processes print: that goes to a log file."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO


class Terminal:
    """While it is open, standard output and error of this process and its children are the log file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}.log"
        self.started = time.monotonic()

    def __enter__(self) -> Terminal:
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(1), os.dup(2)]
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        with self.log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, saved in enumerate(self._saved, 1):
            os.dup2(saved, number)
            os.close(saved)
        with contextlib.suppress(BrokenPipeError):
            self._out.close()

    def say(self, text: str = "") -> None:
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except BrokenPipeError:
            # the reader, `head` say, has seen enough; the work goes on
            self._out = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115

    def step(self, name: str, text: str) -> None:
        """One line of progress: seconds since the start, which step, what it does."""
        self.say(f"{time.monotonic() - self.started:7.1f} s  {name.replace('__', '/'):<34} {text}")
