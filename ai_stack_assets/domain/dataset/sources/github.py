"""Records from git repositories, those of GitHub first of all: which ones (`look_github`), then their methods (`read_github`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.dataset.sources.bsl_methods import facts_key
from ai_stack_assets.domain.dataset.sources.github_api import Found, GithubApi, api_headers
from ai_stack_assets.domain.dataset.sources.github_git import Empty, Kept, Mirror, TooLarge, mirrors
from ai_stack_assets.domain.dataset.sources.github_parsing import Parsing
from ai_stack_assets.domain.dataset.sources.github_reading import Reading, Repository
from ai_stack_assets.domain.dataset.sources.github_settings import (
    TOKEN_SETTING,
    GithubSettings,
    is_opted_out,
    opted_out_places,
    said_of,
    wanted,
)
from ai_stack_assets.domain.dataset.sources.harvest import Report, as_tables
from ai_stack_assets.domain.dataset.sources.polite import PageCache, PoliteClient

if TYPE_CHECKING:
    import pyarrow as pa

CLONES_AT_ONCE = 4
_MISSED = ("not_found", "blocked", "bad_page", "refused", "unreachable")
"""Reasons for which a repository that is wanted has no rows. Limits of the settings and empty ones are none of them."""
_FULL_DISK = "No space left on device"


class GithubSnapshot(msgspec.Struct, frozen=True):
    key: str
    """The same whenever the same records would be read (stars apart, which change by the hour)."""
    repositories: list[Repository]


def look_github(
    settings: GithubSettings, folder: Path, report: Report, wait: Callable[[float], None] = time.sleep
) -> GithubSnapshot:
    """Bring the newest commits of all wanted repositories into the cache `folder`. Unchanged ones cost one conditional request.

    A repository that cannot be had is reported, and read as it was the last time if the fault is the network's. How many are
    not read at all is `report.counts["repositories_missed"]`.

    Raises:
        PermanentError: GitHub refuses the token or a search; nothing is named in the settings; nothing can be read.
        TransientError: GitHub is away, asks to wait too long, or no repository can be reached.
    """
    if not settings.repositories and not settings.searches:
        raise PermanentError(
            "GitHub: name repositories or searches to read (settings repositories, searches)"
        )
    _forget(settings, folder)
    found = _find(settings, folder, report, wait)
    with ThreadPoolExecutor(CLONES_AT_ONCE) as threads:
        states = list(threads.map(lambda each: _update(each, settings, folder), found))
    repositories, unreachable = [], 0
    for each, (kept, reason, detail) in zip(found, states, strict=True):
        if reason:
            report.reject(each.name, reason, detail)
            unreachable += reason == "unreachable"
        if kept:
            about = (each.licence, each.stars, each.is_public)
            repositories.append(Repository(each.name, kept.commits[0], kept.committed_at, *about))
    if not repositories:
        kind = TransientError if unreachable else PermanentError
        detail = (
            "; ".join(f"{place}: {text}" for place, _, text in report.rejected[:3]) or "all are opted out"
        )
        raise kind(f"no repository can be read (settings repositories, searches): {detail}")
    report.counts["repositories"] = len(repositories)
    report.counts["repositories_missed"] = sum(report.reasons[reason] for reason in _MISSED)
    return GithubSnapshot(_key(repositories, settings), repositories)


def read_github(
    snapshot: GithubSnapshot, settings: GithubSettings, folder: Path, report: Report
) -> Iterator[pa.Table]:
    """All methods of a snapshot as tables of records. Parses only files that no run has parsed before."""
    with Parsing(folder / "parsed.sqlite", settings.workers) as parsing:
        rows = (
            row
            for each in snapshot.repositories
            for row in Reading(each, settings, folder, report).rows(parsing)
        )
        yield from as_tables(rows, report)


def _find(
    settings: GithubSettings, folder: Path, report: Report, wait: Callable[[float], None]
) -> list[Found]:
    found: dict[str, Found] = {}
    client = PoliteClient(
        "GitHub",
        TOKEN_SETTING,
        settings.manners,
        PageCache(folder / "pages"),
        api_headers(settings.token),
        wait,
    )
    with client:
        for each in _candidates(GithubApi(settings, client, report), settings, report):
            if len(found) >= settings.max_repositories and each.name.casefold() not in found:
                report.counts["repositories_over_the_limit"] += 1
            else:
                found.setdefault(each.name.casefold(), each)
    report.counts.update(requests=client.requests, requests_unchanged=client.unchanged)
    report.counts["waited_seconds"] += round(client.waited_seconds)
    return [found[name] for name in sorted(found)]


def _candidates(api: GithubApi, settings: GithubSettings, report: Report) -> Iterator[Found]:
    for text in settings.repositories:
        each = wanted(text, settings.api_url)
        if is_opted_out(each.name, settings.opted_out):
            report.counts["repositories_opted_out"] += 1
        elif each.location:
            yield Found(each.name, each.location, each.ref)
        elif one := api.named(each):
            yield one
    for query in settings.searches:
        yield from api.searched(query)


def _update(found: Found, settings: GithubSettings, folder: Path) -> tuple[Kept | None, str, str]:
    """What may be read of a repository, and why not when something is wrong."""
    is_named_by_api = bool(found.marker)
    mirror = Mirror(folder, found.name, found.location, settings.token if is_named_by_api else "")
    pinned = said_of(found.name, settings.pinned, settings.api_url)
    ref, marker = pinned or found.ref, "pinned" if pinned else found.marker
    limits: dict[str, Any] = {"seconds": settings.clone_seconds, "most_bytes": settings.max_repository_bytes}
    try:
        return mirror.update(ref, marker, **limits), "", ""
    except Empty as error:
        return None, "empty_repository", str(error)
    except TooLarge as error:
        return None, "too_large", f"{error}: max_repository_bytes"
    except PermanentError as error:
        if _FULL_DISK in str(error):
            raise TransientError(f"GitHub: the disk of the cache {folder} is full: {error}") from error
        return None, "refused", str(error)
    except TransientError as error:
        if (kept := mirror.kept()) and kept.ref == ref:
            return kept, "stale", f"read at {kept.commits[0][:10]}, the commit of the last time: {error}"
        return None, "unreachable", str(error)


def _forget(settings: GithubSettings, folder: Path) -> None:
    """Remove what is cached of those who opted out since. Files that others have too are parsed again."""
    gone = [kept for kept in mirrors(folder) if is_opted_out(kept.name, settings.opted_out)]
    pages = PageCache(folder / "pages")
    names = [place for entry in settings.opted_out for place in opted_out_places(entry)]
    for name in (*names, *(kept.name for kept in gone)):
        pages.remove(f"{settings.api_url.rstrip('/')}/repos/{name}")
    if not gone:
        return
    with Parsing(folder / "parsed.sqlite", 1) as parsing:
        for kept in gone:
            mirror = Mirror(folder, kept.name)
            for commit in kept.commits if mirror.kept() else ():
                parsing.forget([entry.blob for entry in mirror.entries(commit)])
            mirror.remove()


def _key(repositories: Iterable[Repository], settings: GithubSettings) -> str:
    parts = [[r.name, r.commit, r.licence, r.is_public] for r in repositories]
    how = [settings.allowed_licences, sorted(settings.licences.items()), settings.with_onescript]
    return text_hash(msgspec.json.encode([parts, how, settings.max_file_bytes, facts_key("").hex()]).decode())
