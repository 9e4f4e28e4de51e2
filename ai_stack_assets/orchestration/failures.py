"""From the domain's failures to Dagster's: what is retried with back-off, and what fails at once."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

MAX_RETRIES = 3
FIRST_DELAY = 2
"""Seconds, doubled each time (2, 4, 8): a server on the same machine restarts in about that; after a longer
outage the next run repairs what this one left."""

LONGEST_DELAY = 300
"""Seconds. A server that asks for more is not waited for longer: the step fails after its tries, the next run repairs."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL = ". Make room there, or give the data a larger disk: AI_STACK_ASSETS_DATA"


def seconds_to_wait(error: TransientError, tries: int) -> float:
    """What the server asked for (`Retry-After`) when that is longer than our own back-off."""
    return min(LONGEST_DELAY, max(FIRST_DELAY * 2**tries, error.retry_after or 0))


@contextlib.contextmanager
def failures(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext,
) -> Iterator[None]:
    """Asks for another try after a `TransientError`; anything else fails the step at once.

    Not a `dg.RetryPolicy`: that one also retries bad input, bugs and processes killed for memory.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except TransientError as error:
        op = context if isinstance(context, dg.OpExecutionContext) else context.op_execution_context
        delay = seconds_to_wait(error, op.retry_number)
        context.log.warning(f"{error} (next try in {delay:g} s)")
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=delay) from error
    except PermanentError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except Exception as error:
        advice = FULL if getattr(error, "errno", None) in NO_ROOM else ""
        raise dg.Failure(f"{type(error).__name__}: {error}{advice}", allow_retries=False) from error
