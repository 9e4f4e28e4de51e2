"""Small servers that do wrong what networks and busy servers do: refuse for a while, say nothing, cut off."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator

from ai_stack_assets_tests.servers.http import HttpDouble, Request


class Refusing(HttpDouble):
    """Answers every request with this status and these headers. `requests`: how many there were."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__()
        self.status, self.headers, self.requests = status, headers, 0

    def respond(self, request: Request) -> None:
        request.body()
        self.requests += 1
        request.send(self.status, {}, {"X-Elastic-Product": "Elasticsearch", **self.headers})


@contextlib.contextmanager
def silent() -> Generator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@contextlib.contextmanager
def cutting() -> Generator[int]:
    """A port that takes connections and closes them at once."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def cut() -> None:
            with contextlib.suppress(OSError):
                while True:
                    listening.accept()[0].close()

        threading.Thread(target=cut, daemon=True).start()
        yield listening.getsockname()[1]
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
