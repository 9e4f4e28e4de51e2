"""A double of Kubeflow Pipelines over HTTP: experiments and runs of its API v2beta1. State is in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

API = "/apis/v2beta1"


@dataclass
class Server:
    """`script`: states that a run has at one look after another, the last one for ever."""

    url: str = ""
    token: str = ""
    script: list[Any] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    """A number among them is the status that one look is answered with."""
    tasks: list[dict[str, Any]] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        path = path.removeprefix(API)
        if path in ("/experiments", "/runs"):
            known = self.experiments if path == "/experiments" else self.runs
            if method == "POST":
                return 200, self._made(path, body)
            return 200, {path[1:]: [each for each in known if _matches(each, query)]} if known else {}
        run_id, _, verb = path.removeprefix("/runs/").partition(":")
        run = next((run for run in self.runs if run["run_id"] == run_id), None)
        if run is None:
            return 404, {"message": f"run {run_id} not found"}
        if verb == "terminate":
            self.script = ["CANCELED"]
            return 200, {}
        state = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(state, int):
            return state, {"message": "injected"}
        return 200, {**run, "state": state, "run_details": {"task_details": self.tasks}}

    def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        known, key = (self.experiments, "experiment_id") if path == "/experiments" else (self.runs, "run_id")
        known.append({**body, key: f"{path[1:-1]}-{len(known) + 1}"})
        return known[-1]


def _matches(each: dict[str, Any], query: dict[str, list[str]]) -> bool:
    predicates = json.loads(query["filter"][0])["predicates"] if "filter" in query else []
    named = all(each.get(p["key"]) == p["stringValue"] for p in predicates)
    return named and all(
        each.get(key) == query[key][0] for key in ("experiment_id", "namespace") if key in query
    )


@contextmanager
def kubeflow(token: str = "") -> Iterator[Server]:
    state = Server(token=token)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def log_message(self, *_: Any) -> None: ...

    def _handle(self) -> None:
        split = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.state.requests.append(f"{self.command} {split.path.removeprefix(API)}")
        if self.state.token and self.headers.get("Authorization") != f"Bearer {self.state.token}":
            return self._send(401, {"message": "who are you"})
        body = json.loads(content) if content else None
        return self._send(*self.state.answer(self.command, split.path, parse_qs(split.query), body))

    do_GET = do_POST = _handle

    def _send(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
