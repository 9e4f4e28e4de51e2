"""What the HTTP doubles share: a server on a port of its own, in a thread; requests, answers, faults.

class Clock(HttpDouble):
    def respond(self, request: Request) -> None:
        request.send(200, {"time": "noon"})

with Clock() as clock:
    clock.url
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_OF_THE_WAY = ("host", "transfer-encoding", "content-length", "connection")


class HttpDouble:
    """Answers what is asked of `url` between `with` and its end."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.double = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def respond(self, request: Request) -> None:
        """In a thread of the connection's own."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Request(BaseHTTPRequestHandler):
    """One request: `command`, `path` with query, `headers`, and what can be done with it."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.double.respond(self)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def send(self, status: int, content: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        """Args: content: bytes as they are, anything else as JSON."""
        data, named = content, dict(headers or {})
        if not isinstance(content, bytes):
            data = json.dumps(content).encode()
            named.setdefault("Content-Type", "application/json")
        self.send_response(status)
        for name, value in {**named, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def cut(self) -> None:
        """No answer, the connection ends."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def passed_on(self, behind: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """What the server `behind` (host and port) answers to the same: status, body, headers."""
        with contextlib.closing(http.client.HTTPConnection(behind, timeout=120)) as connection:
            connection.request(self.command, self.path, body, _passable(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), _passable(answer.headers)

    def handle(self) -> None:
        # a client that does not trust us, or went away
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def log_message(self, *_: object) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    double: HttpDouble


def _passable(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_THE_WAY}
