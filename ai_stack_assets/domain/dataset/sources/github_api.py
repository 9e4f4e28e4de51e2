"""GitHub's REST API: which repositories there are, and what it says of each. No git, no files but the cache of answers.

https://docs.github.com/en/rest/repos/repos#get-a-repository
https://docs.github.com/en/rest/search/search#search-repositories
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset.sources.github_settings import (
    TOKEN_SETTING,
    GithubSettings,
    Wanted,
    is_opted_out,
)
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets.domain.dataset.sources.licences import UNKNOWN
from ai_stack_assets.domain.dataset.sources.polite import BadPage, Page, PoliteClient

MOST_FOUND = 1_000
"""GitHub shows no more results of one search; a larger one is asked in halves by time of creation."""
_BEGINNING, _END = datetime(2008, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
"""Fixed, so that the halves have the same addresses next week and their answers can be unchanged."""
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
T = TypeVar("T")
_NO_LICENCE = (None, "", "NOASSERTION", "NONE")


class _Licence(msgspec.Struct):
    spdx_id: str | None = None


class _Origin(msgspec.Struct):
    full_name: str


class Item(msgspec.Struct):
    """A repository as GitHub describes it, as far as it matters here. `size` in KB."""

    full_name: str
    clone_url: str
    fork: bool
    archived: bool
    size: int
    stargazers_count: int
    default_branch: str
    private: bool = True
    """Seen with this token only. What does not say so is not taken for public."""
    pushed_at: str | None = None
    license: _Licence | None = None
    parent: _Origin | None = None
    source: _Origin | None = None


class Answer(msgspec.Struct):
    total_count: int
    items: list[Item]
    incomplete_results: bool = False


class Found(msgspec.Struct, frozen=True):
    """A repository that exists and may be read."""

    name: str
    location: str
    ref: str = ""
    marker: str = ""
    """The same as last time: nothing was pushed since. Empty when only git can tell."""
    licence: str = UNKNOWN
    stars: int = 0
    is_public: bool = False
    """GitHub shows it to everybody. Of a plain git server that cannot be known."""


def api_headers(token: str) -> dict[str, str]:
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


class GithubApi:
    """Answers about repositories. A refusal of the whole API raises; one of a single repository is reported."""

    def __init__(self, settings: GithubSettings, client: PoliteClient, report: Report) -> None:
        self.settings, self.client, self.report = settings, client, report
        self.url = settings.api_url.rstrip("/")

    def named(self, wanted: Wanted) -> Found | None:
        """One repository by name; None when it cannot be had."""
        item = self._repository(wanted.name)
        return self._usable(item, wanted.ref) if item else None

    def searched(self, query: str) -> Iterator[Found]:
        """All repositories that a search finds and the settings want, most stars first."""
        if self.settings.with_forks and "fork:" not in query:
            query += " fork:true"
        for item in self._search(query):
            if item.archived and not self.settings.with_archived:
                self.report.counts["repositories_archived"] += 1
            elif item.fork and not self.settings.with_forks:
                self.report.counts["repositories_forks"] += 1
            elif item.stargazers_count < self.settings.least_stars:
                self.report.counts["repositories_with_few_stars"] += 1
            elif found := self._usable(item, ""):
                yield found

    def _search(
        self, query: str, since: datetime = _BEGINNING, until: datetime | None = None
    ) -> Iterator[Item]:
        span = f" created:{since:%Y-%m-%dT%H:%M:%SZ}..{until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
        parameters = {"q": query + span, "sort": "stars", "order": "desc", "per_page": 100}
        page = self.client.get(f"{self.url}/search/repositories", parameters)
        answer = self._decoded(page, Answer)
        end = until or _END
        if answer.total_count > MOST_FOUND and (end - since).total_seconds() > 1:
            middle = since + (end - since) / 2
            yield from self._search(query, since, middle)
            yield from self._search(query, middle, end)
            return
        while True:
            if answer.incomplete_results:
                self.report.reject(
                    query + span, "incomplete_search", "GitHub ran out of time and left out results"
                )
            yield from answer.items
            following = _NEXT.search(page.headers.get("link", ""))
            if not following:
                return
            if not following[1].startswith(f"{self.url}/"):
                raise PermanentError(
                    f"{self.url} leads to another server for the next page: {following[1][:100]}"
                )
            page = self.client.get(following[1])
            answer = self._decoded(page, Answer)

    def _usable(self, item: Item, ref: str) -> Found | None:
        is_out = is_opted_out(item.full_name, self.settings.opted_out)
        if item.fork and not is_out and not (item.parent or item.source):
            # a search does not say what it is a fork of, and that may be opted out
            item = self._repository(item.full_name) or item
        name = item.full_name
        names = (name, *(origin.full_name for origin in (item.parent, item.source) if origin))
        if any(is_opted_out(each, self.settings.opted_out) for each in names):
            self.report.counts["repositories_opted_out"] += 1
            return None
        if item.size * 1024 > self.settings.max_repository_bytes:
            self.report.reject(name, "too_large", f"{item.size >> 10} MB, see max_repository_bytes")
            return None
        marker = f"{item.pushed_at} {item.default_branch}"
        licence = item.license.spdx_id if item.license else None
        licence = UNKNOWN if licence in _NO_LICENCE else licence
        stars, is_public = item.stargazers_count, not item.private
        return Found(name, item.clone_url, ref, marker, licence or UNKNOWN, stars, is_public)

    def _repository(self, name: str) -> Item | None:
        try:
            page = self.client.get(f"{self.url}/repos/{name}")
        except BadPage as error:
            self.report.reject(name, "bad_page", str(error))
            return None
        if page.status in (404, 410, 451) or (page.status == 403 and b'"block"' in page.body):
            reason = "not_found" if page.status in (404, 410) else "blocked"
            self.report.reject(name, reason, f"GitHub says: {_message(page)}")
            return None
        return self._decoded(page, Item)

    def _decoded(self, page: Page, kind: type[T]) -> T:
        if page.status == 401:
            raise PermanentError(f"{self.url} refuses the token: {_message(page)} (setting {TOKEN_SETTING})")
        if page.status == 422:
            raise PermanentError(
                f"{self.url} does not understand a search: {_message(page)} (setting searches)"
            )
        if page.status == 403:
            raise PermanentError(f"{self.url} refuses: 403 {_message(page)} (setting {TOKEN_SETTING})")
        if page.status != 200:
            raise PermanentError(f"{page.url} answers {page.status}: is it GitHub's API? (setting api_url)")
        try:
            return msgspec.json.decode(page.body, type=kind)
        except msgspec.DecodeError as error:
            raise PermanentError(f"{page.url} is no GitHub API: {error} (setting api_url)") from error


def _message(page: Page) -> str:
    try:
        return str(msgspec.json.decode(page.body)["message"])[:300]
    except (msgspec.DecodeError, KeyError, TypeError):
        return page.text[:100]
