"""Ctrl-C, remembered: one that arrives inside an import or a destructor is swallowed by Python and would change nothing."""

from __future__ import annotations

import signal
from types import FrameType

_seen = False


def watch() -> None:
    """From now on, `stop_if_interrupted` knows of every interrupt that this process got outside of a run."""
    signal.signal(signal.SIGINT, _remember)


def stop_if_interrupted() -> None:
    if _seen:
        raise KeyboardInterrupt


def _remember(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    raise KeyboardInterrupt
