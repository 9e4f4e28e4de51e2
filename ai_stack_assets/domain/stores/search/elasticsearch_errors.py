"""How long a server is asked again, and what its errors mean for a run. Nothing of documents."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from typing import Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError, retry_after

SETTING = "ELASTICSEARCH_URL"
REFUSED = f"ELASTICSEARCH_USER and ELASTICSEARCH_PASSWORD, or ELASTICSEARCH_API_KEY, for {SETTING}"
TRANSIENT = (408, 429, 502, 503, 504)
BUSY = (429, 503)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds. A server that asks for a longer pause is left to the next try of the whole step."""


def patient(retries: int) -> type[Any]:
    """A transport that waits before it asks a busy server again: as long as that says, or longer each time.

    The client's own repeats such a request at once, which is what a server that is overloaded needs least.
    """
    from elastic_transport import Transport

    class Patient(Transport):
        def perform_request(self, *args: Any, **options: Any) -> Any:
            for attempt in range(retries + 1):
                answer = super().perform_request(*args, **options)
                pause = max(FIRST_PAUSE * 2**attempt, retry_after(answer.meta.headers) or 0)
                if answer.meta.status not in BUSY or attempt == retries or pause > LONGEST_PAUSE:
                    break
                time.sleep(pause)
            return answer

    return Patient


@contextlib.contextmanager
def translated(server: str) -> Generator[None]:
    """Turns the client's errors into `PermanentError` and `TransientError`, named by server and setting."""
    import elasticsearch as es

    try:
        yield
    except es.ApiError as error:
        setting = REFUSED if error.status_code in (401, 403) else SETTING
        message = f"{server}: {str(error)[:500]} (setting {setting})"
        if error.status_code in TRANSIENT:
            raise TransientError(message, retry_after(error.meta.headers)) from error
        raise PermanentError(message) from error
    except es.SSLError as error:
        raise PermanentError(
            f"{server}: no trust in its certificate, check {SETTING} and ELASTICSEARCH_CA ({error})"
        ) from error
    except es.UnsupportedProductError as error:
        raise PermanentError(f"{server}: {error} (see the setting {SETTING})") from error
    except es.TransportError as error:
        raise TransientError(f"{server}: {error.message} (see the setting {SETTING})") from error
