"""HTTPS before an HTTP server that has none, asking for a password or an API key; and refusals on demand."""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from ai_stack_assets_tests.servers.certificates import Certificates

_OURS = ("connection", "host", "transfer-encoding", "content-length", "authorization")


class Gateway:
    """`refusals`: (status, headers) that the next requests get instead of an answer, the first first."""

    def __init__(
        self, behind: str, made: Certificates, account: tuple[str, str] = ("", ""), api_key: str = ""
    ) -> None:
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.requests = 0
        basic = base64.b64encode(":".join(account).encode()).decode()
        self.accepted = {f"Basic {basic}", f"ApiKey {api_key}"}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(behind).netloc))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.chain, made.key)
        # the handshake is made in the connection's own thread: one that fails or stalls must not stop the others
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(gateway: Gateway, behind: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            gateway.requests += 1
            if self.headers.get("authorization") not in gateway.accepted:
                self._answer(401, {"WWW-Authenticate": "Basic, ApiKey"}, b"")
            elif gateway.refusals:
                self._answer(*gateway.refusals.pop(0), b"")
            else:
                self._pass_on(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        def _pass_on(self, body: bytes) -> None:
            connection = http.client.HTTPConnection(behind, timeout=120)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OURS}
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                self._answer(answer.status, dict(answer.getheaders()), answer.read())
            except OSError:
                self._answer(502, {}, b"")
            finally:
                connection.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            for name, value in headers.items():
                if name.lower() not in (*_OURS, "x-elastic-product"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ssl.SSLError):  # a client that does not trust us, or went away
                self.close_connection = True

    return Handler
