"""HTTPS before an HTTP server that has none, asking for a password or an API key; and refusals on demand."""

from __future__ import annotations

import base64
import ssl
from urllib.parse import urlsplit

from ai_stack_assets_tests.servers.certificates import Certificates
from ai_stack_assets_tests.servers.http import HttpDouble, Request

_PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


class Gateway(HttpDouble):
    """`refusals`: (status, headers) that the next requests get instead of an answer, the first first."""

    def __init__(
        self, behind: str, made: Certificates, account: tuple[str, str] = ("", ""), api_key: str = ""
    ) -> None:
        super().__init__()
        self.behind = urlsplit(behind).netloc
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.requests = 0
        basic = base64.b64encode(":".join(account).encode()).decode()
        self.accepted = {f"Basic {basic}", f"ApiKey {api_key}"}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.chain, made.key)
        # the handshake is made in the connection's own thread: one that fails or stalls must not stop the others
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = self.url.replace("http:", "https:")

    def respond(self, request: Request) -> None:
        body = request.body()
        self.requests += 1
        if request.headers.get("authorization") not in self.accepted:
            return request.send(401, headers={**_PRODUCT, "WWW-Authenticate": "Basic, ApiKey"})
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return request.send(status, headers={**_PRODUCT, **headers})
        del request.headers["authorization"]  # ours, not that of the server behind
        try:
            status, answer, headers = request.passed_on(self.behind, body)
        except OSError:
            return request.send(502, headers=_PRODUCT)
        known = {name: value for name, value in headers.items() if name.lower() != "x-elastic-product"}
        return request.send(status, answer, {**_PRODUCT, **known})
