"""GitHub on loopback: its REST API (repositories, search, pages, ETags, limits) and its git server (`git http-backend`).

Answers and headers are as api.github.com gave them. `script` puts answers in front of the next API requests.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

API = "/api/v3"


class Github:
    """A server over a folder of repositories: `<folder>/<owner>/<name>.git`."""

    def __init__(self, folder: Path, token: str = "") -> None:
        self.folder, self.token = folder, token
        self.items: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path with query, and headers in lower case, of every request to the API."""
        self.git_requests: list[str] = []
        self.sent_bytes = 0
        """By git alone."""
        self.script: deque[tuple[int, dict[str, str], dict[str, Any]]] = deque()
        self.remaining = 5000
        self.most_per_page = 100
        self.before_pack: Callable[[], None] = lambda: None
        self.renamed: dict[str, str] = {}
        self.url = ""

    @property
    def api_url(self) -> str:
        return self.url + API

    def add(self, name: str, **item: Any) -> Path:
        """Tell of a repository, with the answer's fields as given. Returns the folder where git looks for it."""
        self.items[name.casefold()] = {
            "full_name": name,
            "private": False,
            "fork": False,
            "archived": False,
            "size": 100,
            "stargazers_count": 0,
            "default_branch": "main",
            "pushed_at": "2026-11-01T00:00:00Z",
            "created_at": "2020-01-01T00:00:00Z",
            "license": None,
            "clone_url": f"{self.url}/{quote(name)}.git",
            **item,
        }
        return self.folder / f"{name}.git"

    # ---- answers

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        if path.startswith("/repos/"):
            name = path.removeprefix("/repos/").casefold()
            if name in self.renamed:
                return (
                    301,
                    {"location": f"{self.api_url}/repos/{self.renamed[name]}"},
                    {"message": "Moved Permanently"},
                )
            item = self.items.get(name)
            return (200, {}, {"source": None, **item}) if item else (404, {}, {"message": "Not Found"})
        if path == "/search/repositories":
            return self._search(query)
        return 404, {}, {"message": "Not Found"}

    def _search(self, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        words = query["q"].split()
        since, _, until = next((w[8:] for w in words if w.startswith("created:")), "..").partition("..")
        found = [
            {key: value for key, value in item.items() if key not in ("source", "parent")}
            for item in self.items.values()
            if (not since or since <= item["created_at"] <= until)
            and (not item["fork"] or "fork:true" in words)
        ]
        found.sort(key=lambda item: -item["stargazers_count"])
        size, page = min(int(query.get("per_page", 30)), self.most_per_page), int(query.get("page", 1))
        start = (page - 1) * size
        headers = {}
        if start + size < min(len(found), 1000):
            address = f"{self.api_url}/search/repositories?q={quote(query['q'])}&per_page={size}&page="
            last = -(-len(found) // size)
            headers["link"] = f'<{address}{page + 1}>; rel="next", <{address}{last}>; rel="last"'
        body = {"total_count": len(found), "incomplete_results": False, "items": found[start : start + size]}
        return 200, headers, body


@contextlib.contextmanager
def github(folder: Path, token: str = "") -> Iterator[Github]:
    """A running server."""
    state = Github(folder, token)

    class Handler(_Handler):
        server_state = state

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server_state: Github
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path.startswith(API):
            self._api(path.path.removeprefix(API), {k: v[0] for k, v in parse_qs(path.query).items()})
        else:
            self._git(b"")

    def do_POST(self) -> None:
        self._git(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _api(self, path: str, query: dict[str, str]) -> None:
        state = self.server_state
        headers = {name.lower(): value for name, value in self.headers.items()}
        state.requests.append((self.path, headers))
        if state.script:
            status, extra, body = state.script.popleft()
        elif state.token and headers.get("authorization") != f"Bearer {state.token}":
            status, extra, body = 401, {}, {"message": "Bad credentials"}
        else:
            status, extra, body = state.answer(path, query)
        data = json.dumps(body).encode()
        etag = f'W/"{hashlib.sha256(data).hexdigest()}"'
        if status == 200 and headers.get("if-none-match") == etag:
            status, data = 304, b""
        else:
            state.remaining -= 1
        limits = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(state.remaining)}
        limits |= {"x-ratelimit-reset": str(int(time.time()) + 3600), "x-ratelimit-resource": "core"}
        extra = {"content-type": "application/json; charset=utf-8", "etag": etag, **limits, **extra}
        self._send(status, extra, data)

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in {
            "date": formatdate(usegmt=True),
            **headers,
            "content-length": str(len(data)),
        }.items():
            if not (status == 304 and name == "content-length"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _git(self, body: bytes) -> None:
        """As a web server runs git's own program. https://git-scm.com/docs/git-http-backend"""
        state, path = self.server_state, urlsplit(self.path)
        state.git_requests.append(self.path)
        if path.path.endswith("/git-upload-pack"):
            state.before_pack()
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(state.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path.path,
            "QUERY_STRING": path.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=False
        ).stdout
        head, _, data = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        state.sent_bytes += len(data)
        self._send(status, headers, data)

    def log_message(self, format: str, *_: object) -> None: ...
