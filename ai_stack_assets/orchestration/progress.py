"""What a long step says while it works, as lines of its log."""

from __future__ import annotations

import time
from collections.abc import Callable

import dagster as dg

SECONDS_BETWEEN = 1.0
"""A line is a write to the event log (5 ms in SQLite), and nobody reads more."""


def progress(context: dg.AssetExecutionContext) -> Callable[[str], None]:
    """Logs at most one message a second; what comes between is dropped."""
    last = 0.0

    def say(message: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN:
            last = now
            context.log.info(message)

    return say
