"""GET over HTTP as a good guest: a delay between requests, waits that the server asks for, retries, conditional requests.

What a page says is the caller's business; here a page either comes, whatever its status below 500, or an error names the server.
"""

from __future__ import annotations

import contextlib
import email.utils
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

if TYPE_CHECKING:
    pass

USER_AGENT = "ai_stack_assets (dataset of BSL code)"
_KEPT_HEADERS = ("content-type", "link", "last-modified", "date")
_LIMIT_WORDS = ("rate limit", "abuse detection")
_LIMIT_SECONDS = 60.0
"""GitHub asks for at least a minute after a secondary limit that does not say how long."""
_LONGEST_BACK_OFF = 60.0


@dataclass(frozen=True)
class Manners:
    """How a server is treated."""

    delay_seconds: float = 0
    """Between the beginnings of two requests."""
    retries: int = 5
    """After the first try, for timeouts, broken connections and 5xx; 1, 2, 4… seconds apart."""
    timeout_seconds: float = 30
    max_wait_seconds: float = 3600
    """For all waits together that the server asks for (rate limits)."""
    max_page_bytes: int = 32 << 20


class BadPage(PermanentError):
    """This one address is of no use: too large, redirected in a circle, no address. The server itself is well."""


class Page(msgspec.Struct, frozen=True):
    """An answer. `url` is where redirects led to."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    is_unchanged: bool = False
    """It came from the cache: the server said 304."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class PageCache:
    """Pages with an ETag or a date, one file each. Many processes may share it: a file is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, url: str) -> Page | None:
        try:
            return msgspec.msgpack.decode(self._file(url).read_bytes(), type=Page)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, url: str, page: Page) -> None:
        file = self._file(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{uuid.uuid4().hex}")
        temporary.write_bytes(msgspec.msgpack.encode(page))
        temporary.replace(file)

    def checked_at(self, url: str) -> float:
        """When the server last vouched for the page (seconds since 1970); 0 when it is not here."""
        try:
            return self._file(url).stat().st_mtime
        except OSError:
            return 0

    def vouched(self, url: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._file(url))

    def remove(self, url: str) -> None:
        self._file(url).unlink(missing_ok=True)

    def _file(self, url: str) -> Path:
        name = xxhash.xxh3_128_hexdigest(url.encode())
        return self.folder / name[:2] / f"{name[2:]}.page"


@dataclass
class PoliteClient:
    """One server. Use as a context manager. `wait` is `time.sleep`, unless a test counts the seconds instead."""

    server: str
    setting: str
    """Named in messages: what to change when the server refuses."""
    manners: Manners
    cache: PageCache | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait: Callable[[float], None] = time.sleep
    requests: int = 0
    unchanged: int = 0
    waited_seconds: float = 0
    _last: float | None = None

    def __enter__(self) -> PoliteClient:
        import httpx

        headers = {"User-Agent": USER_AGENT, **self.headers}
        timeout = self.manners.timeout_seconds
        self.client = httpx.Client(headers=headers, timeout=timeout, follow_redirects=True, max_redirects=10)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, keep: Callable[[Page], bool] = lambda _: True
    ) -> Page:
        """The page, from the cache when the server says that it did not change.

        Args:
            keep: whether a page of status 200 may go into the cache.

        Raises:
            BadPage: the address is wrong, the page too large.
            TransientError: the server is away, or asks for more patience than `max_wait_seconds`.
        """
        import httpx

        url = str(httpx.URL(url, params=params)) if params else url
        known = self.cache.get(url) if self.cache else None
        page = self.send("GET", url, headers=_validators(known))
        if page.status == 304 and known and self.cache:
            self.unchanged += 1
            self.cache.vouched(url)
            return msgspec.structs.replace(known, is_unchanged=True)
        if self.cache and page.status == 200 and keep(page):
            kept = {name: page.headers[name] for name in (*_KEPT_HEADERS, "etag") if name in page.headers}
            self.cache.put(url, msgspec.structs.replace(page, headers=kept))
        return page

    def send(self, method: str, url: str, **options: Any) -> Page:
        """One request, repeated while the server is out of order or asks to wait."""
        import httpx

        tries, problem = 0, ""
        while tries <= self.manners.retries:
            if tries:
                self.wait(min(2.0 ** (tries - 1), _LONGEST_BACK_OFF))
            self._keep_distance()
            try:
                page = self._once(method, url, options)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
                raise BadPage(f"{self.server}: {url}: {error} (setting {self.setting})") from error
            except httpx.HTTPError as error:
                tries, problem = tries + 1, str(error) or type(error).__name__
                continue
            if (seconds := asked_to_wait(page, tries)) is not None:
                self._wait_as_asked(seconds)
                tries += page.headers.get("x-ratelimit-remaining") != "0"
                problem = f"status {page.status}, too many requests"
            elif page.status >= 500 or page.status == 408:
                tries, problem = tries + 1, f"status {page.status}"
            else:
                return page
        raise TransientError(
            f"{self.server} cannot be reached now: {problem}, {tries} tries (setting {self.setting})"
        )

    def _once(self, method: str, url: str, options: dict[str, Any]) -> Page:
        self.requests += 1
        with self.client.stream(method, url, **options) as response:
            body = bytearray()
            for block in response.iter_bytes():
                body += block
                if len(body) > self.manners.max_page_bytes:
                    limit = self.manners.max_page_bytes >> 20
                    raise BadPage(f"{self.server}: {url} is larger than {limit} MB")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Page(str(response.url), response.status_code, headers, bytes(body))

    def _keep_distance(self) -> None:
        now = time.monotonic()
        if self._last is not None and (rest := self._last + self.manners.delay_seconds - now) > 0:
            self.wait(rest)
        self._last = time.monotonic()

    def _wait_as_asked(self, seconds: float) -> None:
        self.waited_seconds += seconds
        if self.waited_seconds > self.manners.max_wait_seconds:
            raise TransientError(
                f"{self.server} asks to wait {seconds:.0f} s, {self.waited_seconds:.0f} s in all; allowed are"
                f" {self.manners.max_wait_seconds:.0f} (max_wait_seconds). An account raises the limit: {self.setting}"
            )
        self.wait(seconds)


def asked_to_wait(page: Page, tries: int = 0) -> float | None:
    """Seconds that an answer asks to wait; None when it does not. By the server's own clock, ours may be wrong.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if page.status not in (403, 429, 503):
        return None
    if after := page.headers.get("retry-after"):
        if after.strip().isdigit():
            return float(after)
        return max(0.0, _seconds(after) - _now(page))
    reset = page.headers.get("x-ratelimit-reset", "")
    if page.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        # one second more: the reset is told in whole seconds
        return max(0.0, float(reset) - _now(page)) + 1
    if page.status == 429 or (page.status == 403 and any(word in page.text.lower() for word in _LIMIT_WORDS)):
        return _LIMIT_SECONDS * 2**tries
    return None


def http_date(text: str) -> datetime | None:
    """The time that a header tells; None when it tells none."""
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _seconds(text: str) -> float:
    date = http_date(text)
    return date.timestamp() if date else 0


def _now(page: Page) -> float:
    return _seconds(page.headers.get("date", "")) or time.time()


def _validators(known: Page | None) -> dict[str, str]:
    """What a conditional request asks with. https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests"""
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return (
        {header: known.headers[name] for name, header in names.items() if name in known.headers}
        if known
        else {}
    )
