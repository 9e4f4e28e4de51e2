"""S3 over HTTP in this process, by moto: buckets, conditional writes, listings. Any credentials will do.

with s3() as server:
    server.url, server.environment      # what a process needs to reach it
    server.new_bucket()                 # `s3://<bucket>`, empty
    server.requests                     # (method, path), as they came
    server.refusals.append((503, "SlowDown"))     # what the next requests get instead of an answer
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterable
from typing import Any

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class S3Server:
    """One moto; `refusals` and `requests` are of all clients."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.refusals: list[tuple[int, str]] = []
        self.requests: list[tuple[str, str]] = []
        self.ignores_conditions = False
        self._numbers = itertools.count()
        self._app: WSGI = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def new_bucket(self) -> str:
        name = f"lake-{next(self._numbers)}"
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{name}", method="PUT"), timeout=30)
        return f"s3://{name}"

    def uploads(self, part_of_path: str = "") -> list[str]:
        """Paths of what was written since `requests` was cleared."""
        return [path for method, path in self.requests if method == "PUT" and part_of_path in path]

    def serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode()))
        if self.ignores_conditions:
            for header in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
                environ.pop(header, None)
        if not self.refusals:
            return self._app(environ, start_response)
        status, code = self.refusals.pop(0)
        body = f"<Error><Code>{code}</Code></Error>".encode()
        start_response(f"{status} Refused", [("Content-Length", str(len(body)))])
        return [body]


@contextlib.contextmanager
def s3() -> Generator[S3Server]:
    server = S3Server()
    server.serve()
    try:
        yield server
    finally:
        server.stop()
