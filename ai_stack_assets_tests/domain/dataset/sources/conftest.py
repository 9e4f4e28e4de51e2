"""A GitHub on loopback, and reading it as the stage does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.dataset.sources.github import GithubSnapshot, look_github, read_github
from ai_stack_assets.domain.dataset.sources.github_settings import GithubSettings
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets.domain.dataset.sources.polite import Manners
from ai_stack_assets_tests.domain.dataset.sources import repositories
from ai_stack_assets_tests.servers.github import Github, github


@dataclass
class Harvested:
    rows: list[dict[str, Any]]
    report: Report
    snapshot: GithubSnapshot
    waits: list[float] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, str]:
        return {place: reason for place, reason, _ in self.report.rejected}

    @property
    def paths(self) -> list[str]:
        return sorted(row["path"] for row in self.rows)


Read = Callable[..., Harvested]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Github]:
    with github(tmp_path / "served") as state:
        yield state


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def read(server: Github, cache: Path) -> Read:
    """Looks and reads; the server asks to wait without anyone waiting."""

    def read(*names: str, **settings: Any) -> Harvested:
        settings = {"api_url": server.api_url, "workers": 1, "manners": Manners(retries=2), **settings}
        chosen = GithubSettings(repositories=names, **settings)
        report, waits = Report(), []
        snapshot = look_github(chosen, cache, report, waits.append)
        rows = [row for table in read_github(snapshot, chosen, cache, report) for row in table.to_pylist()]
        return Harvested(rows, report, snapshot, waits)

    return read


@pytest.fixture
def a_repository(server: Github) -> Path:
    """`owner/name` with one module and a licence."""
    files: repositories.Files = {
        "src/CommonModules/Общий/Module.bsl": repositories.METHOD,
        "LICENSE": repositories.MIT,
    }
    return repositories.repository(server.add("owner/name", stargazers_count=7), files)
