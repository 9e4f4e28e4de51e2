"""What MLflow's errors mean: worth another try or not, named by server and setting. As `stores.postgres.errors` does it."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Generator

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

SETTING = "MLFLOW_TRACKING_URI"

_TRANSIENT = frozenset(
    {
        "INTERNAL_ERROR",
        "TEMPORARILY_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "CANCELLED",
    }
)
"""Of `mlflow.exceptions`. A connection that fails is an INTERNAL_ERROR there."""
_FULL = ("No space left", "disk is full", "disk I/O error", "File too large")
_FULL_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN = ("malformed", "not a database")
_CAUSE = re.compile(r"\(Caused by \w+\((.*)\)\)$")
"""At the end of a long chain: requests tells all of it, a person wants the last link."""
_REPR = re.compile(r"(<[\w.]+ object at 0x\w+>|\w+Connection\([^)]*\))[:,]? ?")
_ACCOUNT = re.compile(r"//[^/\s@]*@")
"""User and password in a URL."""


@contextlib.contextmanager
def translated(place: str) -> Generator[None]:
    """Turns errors of MLflow, of its database and of the disk into `PermanentError` and `TransientError`."""
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise _of_mlflow(error, place) from _told(error)
    except (requests.RequestException, sqlalchemy.exc.DBAPIError) as error:
        raise _of_text(error, place) from _told(error)
    except OSError as error:
        if error.errno in _FULL_CODES:
            raise TransientError(f"MLflow at {place}: no space left on the disk ({error})") from error
        raise


def _of_mlflow(error: Exception, place: str) -> PermanentError | TransientError:
    code = getattr(error, "error_code", "")
    if code in _TRANSIENT:
        return _of_text(error, place)
    return PermanentError(f"MLflow at {place} refused: {_line(error)} ({code}, setting {SETTING})")


def _of_text(error: Exception, place: str) -> PermanentError | TransientError:
    text = str(error)
    if any(mark in text for mark in _FULL):
        return TransientError(f"MLflow at {place}: no space left on the disk ({_line(error)})")
    if any(mark in text for mark in _BROKEN):
        return PermanentError(
            f"the database of MLflow at {place} is damaged: {_line(error)}. Restore it from a backup"
        )
    return TransientError(f"MLflow at {place} does not answer: {_line(error)} (setting {SETTING})")


def _line(error: Exception) -> str:
    lines = _ACCOUNT.sub("//", str(error)).strip().splitlines()
    if not lines:
        return type(error).__name__
    cause = _CAUSE.search(lines[0])
    return (_REPR.sub("", cause[1]).strip("\"'") if cause else lines[0])[:500]


def _told(error: Exception) -> Exception | None:
    """The cause, for the log; none when it quotes a URL with a password."""
    return None if _ACCOUNT.search(str(error)) else error
