"""MLflow's own tracking server on SQLite and a folder, and a gate before it that refuses what a test wants refused."""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from ai_stack_assets_tests.servers.http import HttpDouble, Request
from ai_stack_assets_tests.servers.process import Server, new_folder, running

CUT = -1
"""Instead of a status: no answer, the connection ends."""


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


class Gate(HttpDouble):
    """Before a server. `refuses(method, path)` gives a status for a request that is not passed on, `CUT`, or None."""

    def __init__(self, port: int, refuses: Callable[[str, str], int | None] = lambda *_: None) -> None:
        super().__init__()
        self.port, self.refuses, self.requests = port, refuses, 0

    def respond(self, request: Request) -> None:
        body = request.body()
        self.requests += 1
        status = self.refuses(request.command, request.path)
        if status == CUT:
            return request.cut()
        if status:
            return request.send(status, {"error_code": str(status), "message": "refused by the gate"})
        return request.send(*request.passed_on(f"127.0.0.1:{self.port}", body))
