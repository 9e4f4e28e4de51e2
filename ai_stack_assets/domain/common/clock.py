"""Seconds by phase of a piece of work."""

from __future__ import annotations

import time


class PhaseClock:
    """`lap` books the time since the lap before to a phase; a phase may come more than once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = round(self.seconds.get(phase, 0) + now - self._last, 3)
        self._last = now
