"""What to read from GitHub and other git servers, and who asked not to be read. No network, no files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset.sources.licences import PERMISSIVE
from ai_stack_assets.domain.dataset.sources.polite import Manners
from ai_stack_assets.domain.onec.sources import GIT, is_remote, parse_source, without_credentials

TOKEN_SETTING = "GITHUB_TOKEN"
_ADDRESS = re.compile(
    r"(?:(?!file:)\w+://|[\w.-]+@(?=[\w.-]+:))(?P<host>[^/:]+(?::\d+)?)[:/](?P<path>.*)$", re.I
)
_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?(?:@(?P<ref>\S+))?$")
_GITHUB = re.compile(r"(?:www\.)?github\.com(?:/|$)", re.I)
_PAGE = re.compile(r"[?#]|/-/")
_PEOPLE = re.compile(r"^(?:orgs|users)/([^/]+).*$")
_PLACE = re.compile(r"[\w.~+-]+(?::\d+)?(?:/[\w.~+-]+)*$")


@dataclass(frozen=True)
class GithubSettings:
    """Reads nothing until repositories or searches are named."""

    repositories: tuple[str, ...] = ()
    """`owner/name`, or the address of a repository on any git server; each with an optional `@branch`."""
    searches: tuple[str, ...] = ()
    """As GitHub's search takes them: `language:"1C Enterprise" stars:>=3`, `topic:1c-enterprise`."""
    token: str = field(default="", repr=False)
    api_url: str = "https://api.github.com"
    opted_out: tuple[str, ...] = ()
    """`owner`, `owner/name` or an address: nothing of theirs is read, what was cached is removed; forks of it go too."""
    allowed_licences: tuple[str, ...] = PERMISSIVE
    """What is published. Code under other licences is read and marked."""
    licences: Mapping[str, str] = field(default_factory=dict)
    """`owner/name` or address → SPDX identifier, for repositories whose licence is known otherwise. Code of private repositories
    and of plain git servers is published only when they are named here, and the licence is an allowed one."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """`owner/name` or address → commit: to read a past week again."""
    with_forks: bool = False
    with_archived: bool = True
    with_onescript: bool = False
    """Files named `.os` too."""
    least_stars: int = 0
    """For searches; repositories named one by one are always read."""
    max_repositories: int = 5_000
    max_file_bytes: int = 16 << 20
    max_repository_bytes: int = 4 << 30
    clone_seconds: float = 1_800
    manners: Manners = field(default_factory=Manners)
    workers: int = 0
    """Processes that parse; 0: one for each core."""


@dataclass(frozen=True)
class Wanted:
    """A repository as the user named it: on GitHub when `location` is empty."""

    name: str
    ref: str = ""
    location: str = field(default="", repr=False)


def wanted(text: str, api_url: str) -> Wanted:
    """Understand one entry of `repositories`. An address on GitHub itself is the same as `owner/name`."""
    text = text.strip()
    if (match := _NAME.match(text)) and not is_remote(text) and not Path(text).exists():
        return Wanted(match["name"], match["ref"] or "")
    spec = parse_source(text)
    if spec.kind != GIT and not (Path(spec.location) / ".git").exists():
        raise PermanentError(f"{text!r} is no repository: give owner/name or the address of a git server")
    host = urlsplit(spec.uri).netloc
    if host and host == urlsplit(api_url).netloc.removeprefix("api."):
        return Wanted(address_name(spec.uri).partition("/")[2], spec.ref or "")
    return Wanted(address_name(spec.uri), spec.ref or "", spec.location)


def address_name(uri: str) -> str:
    """`https://git.example.com/erp/trade.git` → `git.example.com/erp/trade`: the column `repository`. A path stays one."""
    if match := _ADDRESS.match(without_credentials(uri)):
        uri = f"{match['host']}/{match['path'].lstrip('/')}"
    return uri.removeprefix("file://").rstrip("/").removesuffix(".git")


def said_of(name: str, said: Mapping[str, str], api_url: str) -> str:
    """What `licences` or `pinned` say of a repository, by its name or its address; empty when nothing."""
    if name in said:
        return said[name]
    names = {wanted(key, api_url).name if is_remote(key) else key: value for key, value in said.items()}
    return {key.casefold(): value for key, value in names.items()}.get(name.casefold(), "")


@cache
def opted_out_places(entry: str) -> frozenset[str]:
    """One entry of `opted_out` as `owner` or `owner/name`, or as a part of an address on another server.

    An address holds with its server and without: the same owner elsewhere goes too, rather too much than too little.

    Raises:
        PermanentError: it stands for no owner and no repository.
    """
    place = without_credentials(entry.strip()).removeprefix("file://")
    if _GITHUB.match(place):
        place = f"https://{place}"
    host = ""
    if match := _ADDRESS.match(place):
        host, place = match["host"], _PAGE.split(match["path"])[0]
        if _GITHUB.match(host):
            # of any page of GitHub's: the owner and the repository
            host, place = "", "/".join(_PEOPLE.sub(r"\1", place.strip("/")).split("/")[:2])
    place = place.strip("/").removeprefix("@").removesuffix(".git").casefold()
    if not _PLACE.match(place):
        raise PermanentError(
            f"setting github.opted_out: {without_credentials(entry)!r} is no owner and no repository: "
            "give owner, owner/name or an address"
        )
    return frozenset((place, f"{host}/{place}".casefold()) if host else (place,))


def is_opted_out(name: str, opted_out: Collection[str]) -> bool:
    """True for a repository, or any folder above it, that is on the list. On any server: rather too much than too little."""
    parts = name.casefold().removesuffix(".git").strip("/").split("/")
    entries = frozenset[str]().union(*map(opted_out_places, opted_out))
    whole = {"/".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}
    # the last part alone is the repository's own name, no owner
    return bool((whole - ({parts[-1]} if len(parts) > 1 else set())) & entries)
