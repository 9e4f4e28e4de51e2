"""What PostgreSQL's errors mean for a run: worth another try, or not. Nothing else here."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

SETTING = "POSTGRES_URL"
REBUILD = (
    "If it is damaged, it is made anew from the lake by: make run ARGS=--rebuild=postgres "
    "(or rebuild: true in the launchpad)"
)
_CORRUPTED = ("XX001", "XX002")

_TRANSIENT_CODES = ("08", "40", "53", "57", "58", "55P03")
"""SQLSTATE: connection, rolled back (deadlock), resources, shutdown or cancelled, system, lock not available.
https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_REFUSED = ("FATAL", "ВАЖНО", "no password", "invalid", "missing", "does not support SSL", "certificate")
"""A server that answered "no" says FATAL, a Russian one ВАЖНО: libpq passes no SQLSTATE while connecting."""
_BUSY = (
    *("starting up", "shutting down", "too many", "recovery", "reserved", "administrator command", "timeout"),
    *("запускается", "останавливается", "отключается", "слишком много", "восстановлени", "зарезервирован"),
)


@contextlib.contextmanager
def translated(server: str) -> Generator[None]:
    """Turns psycopg's errors into `PermanentError` and `TransientError`, named by server and setting."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        kind = TransientError if is_transient(error) else PermanentError
        hint = f"see the setting {SETTING}" if _is_about_the_setting(error) else f"setting {SETTING}"
        remedy = f". {REBUILD}" if error.sqlstate in _CORRUPTED else ""
        raise kind(f"PostgreSQL {server}: {_message(error)} ({hint}){remedy}") from error


def is_transient(error: Exception) -> bool:
    """True for what may pass by itself: the server is away, starting, full, or another session is in the
    way."""
    import psycopg

    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate:
        return error.sqlstate.startswith(_TRANSIENT_CODES)
    if not isinstance(error, psycopg.OperationalError):
        return False
    text = str(error)
    return any(mark in text for mark in _BUSY) or not any(mark in text for mark in _REFUSED)


def _is_about_the_setting(error: Exception) -> bool:
    code = getattr(error, "sqlstate", None)
    return code is None or code.startswith(("28", "3D", "42501"))


def _message(error: Exception) -> str:
    detail = getattr(getattr(error, "diag", None), "message_detail", None)
    lines = [str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__]
    if detail and detail not in lines[0]:
        lines.append(detail)
    return "; ".join(lines)
