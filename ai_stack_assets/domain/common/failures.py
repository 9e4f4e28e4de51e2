"""The two kinds of failure. Permanent ones are never retried; transient ones are, with back-off."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


class PermanentError(Exception):
    """Bad input or a wrong setting: trying again cannot help. The message says what to change."""


class TransientError(Exception):
    """A server or the network is in the way: trying again later may help. The message names the server and its setting.

    `retry_after`: seconds that the server asked to be left alone, when it did.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`, which is a number or a date (RFC 9110, 10.2.3); None when there is none to read."""
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if said.isdigit():
        return float(said)
    with contextlib.suppress(ValueError):
        until = parsedate_to_datetime(said)
        return max(0.0, (until - datetime.now(until.tzinfo)).total_seconds())
    return None
