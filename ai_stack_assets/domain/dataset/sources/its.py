"""Records from ITS, 1C's knowledge base: articles under some sections (`look_its`), then the samples in them (`read_its`)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.dataset.records import ITS, record
from ai_stack_assets.domain.dataset.sources.bsl_methods import count_tokens, parse_file
from ai_stack_assets.domain.dataset.sources.harvest import Report, as_tables
from ai_stack_assets.domain.dataset.sources.its_articles import Article, NotHtml, Sample, read_article
from ai_stack_assets.domain.dataset.sources.its_session import CREDENTIALS, ItsSession, ItsSettings, LoginPage
from ai_stack_assets.domain.dataset.sources.polite import (
    BadPage,
    Page,
    PageCache,
    PoliteClient,
    http_date,
)

if TYPE_CHECKING:
    import pyarrow as pa

MOST_REFUSED = 5
"""Pages in a row that show a login page, or nothing: then it is not the pages' fault."""
_FILES = (
    ".png",
    ".jpg",
    ".gif",
    ".svg",
    ".css",
    ".js",
    ".zip",
    ".pdf",
    ".doc",
    ".docx",
    ".xls",
    ".epf",
    ".rar",
    ".exe",
)


class Place(msgspec.Struct, frozen=True):
    url: str
    section: str


class ItsSnapshot(msgspec.Struct, frozen=True):
    key: str
    """The same whenever the same samples would be read."""
    articles: list[Place]
    """Pages with samples. They lie in the cache."""


def look_its(
    settings: ItsSettings, folder: Path, report: Report, wait: Callable[[float], None] = time.sleep
) -> ItsSnapshot:
    """Walk the sections and bring their pages into the cache `folder`, as politely as the settings say.

    A page that fails is reported, and read as it was the last time if it is there.

    Raises:
        PermanentError: no credentials; the account is refused; robots.txt forbids all sections.
        TransientError: ITS is away. What was read stays in the cache: the next run goes on from there.
    """
    if not settings.is_on:
        raise PermanentError(f"ITS is off: set {CREDENTIALS} and sections")
    client = PoliteClient("ITS", "ITS_URL", settings.manners, PageCache(folder / "pages"), wait=wait)
    with client:
        walk = _Walk(settings, client, report)
        walk.run()
    report.counts.update(
        pages=walk.pages,
        articles=len(walk.articles),
        requests=client.requests,
        requests_unchanged=client.unchanged,
        logins=walk.session.logins,
    )
    report.counts["waited_seconds"] += round(client.waited_seconds)
    articles = sorted(walk.articles.items(), key=lambda item: item[0].url)
    how = [settings.licence, settings.is_publishable]
    content = [how, [[place.url, place.section, state] for place, state in articles]]
    return ItsSnapshot(text_hash(msgspec.json.encode(content).decode()), [place for place, _ in articles])


def read_its(
    snapshot: ItsSnapshot, settings: ItsSettings, folder: Path, report: Report
) -> Iterator[pa.Table]:
    """The samples of a snapshot as tables of records."""
    cache = PageCache(folder / "pages")
    rows = (row for place in snapshot.articles for row in _records(place, cache, settings, report))
    yield from as_tables(rows, report)


class _Walk:
    def __init__(self, settings: ItsSettings, client: PoliteClient, report: Report) -> None:
        self.settings, self.client, self.report = settings, client, report
        self.session = ItsSession(settings, client)
        self.articles: dict[Place, str] = {}
        self.pages = 0
        self._refused = 0
        self._host = urlsplit(settings.base_url).netloc

    def run(self) -> None:
        waiting = deque(self._start(section) for section in self.settings.sections)
        seen = {place.url for place in waiting}
        while waiting:
            place = waiting.popleft()
            if self.pages >= self.settings.max_pages:
                self.report.counts["pages_over_the_limit"] += len(waiting) + 1
                break
            article = self._article(place)
            if article is None:
                continue
            self.pages += 1
            if article.samples or article.others:
                self.articles[place] = text_hash(repr((article.title, article.samples)))
            for url in self._following(article, place.section):
                if url not in seen:
                    seen.add(url)
                    waiting.append(Place(url, place.section))
        if not self.pages:
            reasons = "; ".join(f"{place}: {detail}" for place, _, detail in self.report.rejected[-3:])
            raise PermanentError(f"ITS: no page can be read (settings sections, {CREDENTIALS}): {reasons}")

    def _start(self, section: str) -> Place:
        url = urldefrag(urljoin(self.settings.base_url.rstrip("/") + "/", section)).url
        return Place(url, urlsplit(url).path.rstrip("/"))

    def _following(self, article: Article, section: str) -> Iterator[str]:
        parent, _, name = section.rpartition("/")
        below = (section, f"{parent}/content/{name}")
        for url in (*article.frames, *article.links):
            parts = urlsplit(url)
            is_near = url in article.frames or any(
                parts.path == b or parts.path.startswith(f"{b}/") for b in below
            )
            if parts.netloc == self._host and is_near and not parts.path.lower().endswith(_FILES):
                yield url

    def _article(self, place: Place) -> Article | None:
        page = self._page(place.url)
        if page is None:
            return None
        if page.status != 200:
            self.report.reject(
                place.url, "not_found" if page.status in (404, 410) else "refused", f"status {page.status}"
            )
            return None
        if urlsplit(page.url).netloc != self._host:
            self.report.reject(place.url, "elsewhere", f"leads to {urlsplit(page.url).netloc}")
            return None
        return _read(place, page, self.report)

    def _page(self, url: str) -> Page | None:
        """A page from the cache when it is fresh, else from ITS; None when it cannot be had (reported)."""
        cache = self.client.cache
        assert cache is not None
        known = cache.get(url)
        if known and time.time() - cache.checked_at(url) < self.settings.recheck_hours * 3600:
            self.report.counts["pages_still_fresh"] += 1
            return known
        if not self.session.may_read(url):
            self.report.reject(url, "robots", "robots.txt does not allow it")
            return None
        try:
            page = self.session.get(url)
        except (LoginPage, TransientError) as error:
            self._refused += 1
            if self._refused >= MOST_REFUSED or not (self.pages or known):
                raise
            reason = "login_page" if isinstance(error, LoginPage) else "unreachable"
            self.report.reject(url, "stale" if known else reason, str(error))
            return known
        except BadPage as error:
            self.report.reject(url, "bad_page", str(error))
            return None
        self._refused = 0
        return page


def _records(
    place: Place, cache: PageCache, settings: ItsSettings, report: Report
) -> Iterator[dict[str, Any]]:
    page = cache.get(place.url)
    if page is None:
        report.reject(place.url, "lost", "the page is not in the cache any more")
        return
    article = _read(place, page, report)
    if article is None:
        return
    for block in article.others:
        report.reject(place.url, "not_bsl", " ".join(block.split())[:80])
    changed_at = http_date(page.headers.get("last-modified", ""))
    for number, sample in enumerate(article.samples, 1):
        yield record(
            source=ITS,
            repository=place.section,
            path=place.url,
            start_line=number,
            licence=settings.licence,
            is_publishable=settings.is_publishable,
            changed_at=changed_at,
            module_type="Sample",
            doc_comment=f"{article.title}\n\n{sample.description}".strip(),
            code=sample.code,
            **_method(sample),
        )


def _read(place: Place, page: Page, report: Report) -> Article | None:
    try:
        return read_article(page.body, page.url, page.headers.get("content-type", ""))
    except NotHtml as error:
        report.reject(place.url, "not_html", str(error) or "empty")
        return None


def _method(sample: Sample) -> dict[str, Any]:
    """What a sample that is one method says of it."""
    methods = parse_file(sample.code.encode()).methods
    tokens = count_tokens(sample.code)
    if len(methods) != 1:
        return {"tokens": tokens}
    (m,) = methods
    names = ("method_name", "signature", "is_export", "directive")
    return {"tokens": tokens, **{name: getattr(m, name) for name in names}}
