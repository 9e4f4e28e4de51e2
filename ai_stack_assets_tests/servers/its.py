"""ITS on loopback: a knowledge base behind a login, and beside it the login server with its form (CAS), as its.1c.ru and
login.1c.ru answer. Pages are HTML by path; sessions expire on demand; `script` puts answers in front of the next pages.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, quote, urlencode, urlsplit

USER, PASSWORD = "reader@example.com", "secret&=пароль"


@dataclass
class Its:
    pages: dict[str, bytes] = field(default_factory=dict)
    robots: str = ""
    content_type: str = "text/html; charset=utf-8"
    last_modified: str = "Wed, 04 Nov 2026 10:00:00 GMT"
    script: deque[tuple[int, dict[str, str], bytes]] = field(default_factory=deque)
    closed: set[str] = field(default_factory=set)
    """Paths that no account may see: the login page stands there."""
    sessions: set[str] = field(default_factory=set)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers in lower case, of the knowledge base."""
    logins: list[dict[str, str]] = field(default_factory=list)
    """Forms that were sent, as decoded."""
    expires_after: int = -1
    """Pages that a session may see; -1: all."""
    form_action: str = "/login"
    url: str = ""
    login_url: str = ""

    def page(self, path: str, html: str) -> None:
        self.pages[path] = (
            f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{html}</body></html>".encode()
        )

    @property
    def asked(self) -> list[str]:
        return [path for path, _ in self.requests]


@contextlib.contextmanager
def its() -> Iterator[Its]:
    """Both servers, running."""
    state = Its()
    servers = []
    for kind in (_KnowledgeBase, _Login):
        handler = type("Handler", (kind,), {"its": state})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
    state.url, login = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    service = quote(f"{state.url}/login/?action=aftercheck&provider=login", safe="")
    state.login_url = f"{login}/login?service={service}"
    try:
        yield state
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    its: Its
    protocol_version = "HTTP/1.1"

    def send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response_only(status)
        headers = {"Date": formatdate(usegmt=True), **headers}
        if status != 304:
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def cookie(self, name: str) -> str:
        found = SimpleCookie(self.headers.get("cookie", "")).get(name)
        return found.value if found else ""

    def log_message(self, format: str, *_: object) -> None: ...


class _KnowledgeBase(_Handler):
    def do_GET(self) -> None:
        its, address = self.its, urlsplit(self.path)
        its.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if address.path == "/robots.txt":
            self.send(200 if its.robots else 404, {"Content-Type": "text/plain"}, its.robots.encode())
        elif address.path == "/login/":
            session = parse_qs(address.query)["ticket"][0]
            its.sessions.add(session)
            self.send(302, {"Set-Cookie": f"PHPSESSID={session}; path=/; HttpOnly", "Location": "/"})
        elif address.path == "/":
            self.send(200, {"Content-Type": "text/html"}, b"<html><body>ITS</body></html>")
        elif its.script:
            self.send(*its.script.popleft())
        elif self.cookie("PHPSESSID") not in its.sessions or address.path in its.closed:
            self.send(302, {"Location": its.login_url})
        else:
            self._page(address.path)

    def _page(self, path: str) -> None:
        its, body = self.its, self.its.pages.get(path)
        if its.expires_after == 0:
            its.sessions.clear()
            its.expires_after = -1
            return self.send(302, {"Location": its.login_url})
        its.expires_after -= its.expires_after > 0
        if body is None:
            return self.send(404, {"Content-Type": "text/html"}, b"<html><body>404</body></html>")
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        headers = {"ETag": etag, "Last-Modified": its.last_modified, "Content-Type": its.content_type}
        if self.headers.get("if-none-match") == etag:
            return self.send(304, headers)
        return self.send(200, headers, body)


class _Login(_Handler):
    """Each form is good for one try, and only for the browser that it was given to."""

    issued = 0

    def do_GET(self) -> None:
        self._form(200)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        self.its.logins.append(form)
        is_own = self.cookie("JSESSIONID") == form.get("execution")
        if not is_own or (form.get("username"), form.get("password")) != (USER, PASSWORD):
            return self._form(401)
        service = parse_qs(urlsplit(self.its.login_url).query)["service"][0]
        ticket = urlencode({"ticket": f"ST-{len(self.its.logins)}"})
        return self.send(302, {"Location": f"{service}&{ticket}"})

    def _form(self, status: int) -> None:
        type(self).issued += 1
        token = f"e{self.issued}s1"
        page = f"""<html><body><form id="loginForm" action="{self.its.form_action}" method="post">
            <input type="hidden" name="inviteCode" value=""><input type="text" id="username" name="username">
            <input type="password" id="password" name="password"><input type="hidden" name="execution" value="{token}">
            <input type="hidden" name="_eventId" value="submit"><input type="submit" value="Войти"></form></body></html>"""
        headers = {
            "Content-Type": "text/html;charset=UTF-8",
            "Set-Cookie": f"JSESSIONID={token}; path=/; HttpOnly",
        }
        self.send(status, headers, page.encode())
