"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ai_stack_assets_tests.platform import Platform
    from ai_stack_assets_tests.servers import ElasticsearchServer, Neo4jServer, PostgresServer
    from ai_stack_assets_tests.servers.s3 import S3Server

SERVERS = os.environ.get("TEST_SERVERS", "") != "0"
"""Real servers are started unless it is said not to. One that does not start fails its tests: nothing is skipped."""
ENGINES = ("embedded", "server") if SERVERS else ("embedded",)
"""What a suite that holds for both is parametrised with."""
collect_ignore = [] if SERVERS else ["integration"]


NOT_TESTED = "NOT TESTED"
"""Begins the reason of a skip that leaves a promise without its test."""
LEFT_OUT = "TEST_SERVERS=0: the tests against real servers were LEFT OUT"


def pytest_report_header() -> str:
    return "servers: started on first use (TEST_SERVERS=0 leaves them out)" if SERVERS else LEFT_OUT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not tested, at the end: a quiet run has no header, and tells no reasons."""
    if not SERVERS:
        terminalreporter.write_line(LEFT_OUT, yellow=True)
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {reason for _, _, reason in (report.longrepr for report in skipped) if NOT_TESTED in reason}
    for reason in sorted(reasons):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    from ai_stack_assets_tests.servers import postgres

    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def neo4j_server() -> Iterator[Neo4jServer]:
    from ai_stack_assets_tests.servers import neo4j

    with neo4j() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    from ai_stack_assets_tests.servers import elasticsearch

    with elasticsearch() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    from ai_stack_assets_tests.servers.s3 import s3

    with s3() as server:
        yield server


@pytest.fixture
def bucket_url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, with the environment that leads there."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3_server.refusals.clear()
    return s3_server.new_bucket()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """The platform on a temporary folder, with the sample as configuration `demo`."""
    import dagster as dg

    from ai_stack_assets_tests.platform import SAMPLE, Platform

    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.configure(demo=SAMPLE)
        yield platform


@pytest.fixture
def source(tmp_path: Path, platform: Platform) -> Path:
    """A copy of the sample that a test may change, as configuration `demo`."""
    from ai_stack_assets_tests.platform import SAMPLE

    copy = tmp_path / "source"
    shutil.copytree(SAMPLE, copy)
    platform.configure(demo=copy)
    return copy
