"""A double of Kubeflow Pipelines over HTTP: experiments and runs of its API v2beta1. State is in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ai_stack_assets_tests.servers.http import HttpDouble, Request

API = "/apis/v2beta1"


@dataclass
class Server(HttpDouble):
    """`script`: states that a run has at one look after another, the last one for ever."""

    token: str = ""
    script: list[Any] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    """A number among them is the status that one look is answered with."""
    tasks: list[dict[str, Any]] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def respond(self, request: Request) -> None:
        split, content = urlsplit(request.path), request.body()
        self.requests.append(f"{request.command} {split.path.removeprefix(API)}")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return request.send(401, {"message": "who are you"})
        body = json.loads(content) if content else None
        return request.send(*self.answer(request.command, split.path, parse_qs(split.query), body))

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


def kubeflow(token: str = "") -> Server:
    return Server(token=token)
