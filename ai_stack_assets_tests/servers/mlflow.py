"""MLflow's own tracking server on SQLite and a folder, and a gate before it that refuses what a test wants refused."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from ai_stack_assets_tests.servers.process import Server, new_folder, running

CUT = -1
"""Instead of a status: no answer, the connection ends."""
_OF_THE_WAY = ("host", "transfer-encoding", "content-length", "connection")


class MlflowServer(Server):
    name = "MLflow"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "", "")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        options = {
            "--backend-store-uri": f"sqlite:///{self.folder / 'server.db'}",
            "--artifacts-destination": str(self.folder / "artifacts"),
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--workers": "1",
        }
        return [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            *(each for pair in options.items() for each in pair),
        ]

    def options(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}}

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200


@contextlib.contextmanager
def mlflow(folder: Path | None = None) -> Generator[MlflowServer]:
    with running(MlflowServer(new_folder("mlflow", folder))) as server:
        yield server


class Gate:
    """Before a server. `refuses(method, path)` gives a status for a request that is not passed on, `CUT`, or None."""

    def __init__(self, port: int, refuses: Callable[[str, str], int | None] = lambda *_: None) -> None:
        self.refuses, self.requests = refuses, 0
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self._body()
                gate.requests += 1
                if status := gate.refuses(self.command, self.path):
                    if status == CUT:
                        self.close_connection = True
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    said = {"error_code": str(status), "message": "refused by the gate"}
                    self._answer(status, json.dumps(said).encode())
                    return
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                with contextlib.closing(connection):
                    headers = {n: value for n, value in self.headers.items() if n.lower() not in _OF_THE_WAY}
                    connection.request(self.command, self.path, body, headers)
                    answer = connection.getresponse()
                    self._answer(answer.status, answer.read())

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

            def _body(self) -> bytes:
                if self.headers.get("transfer-encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                body = b""  # an empty file is sent so
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
