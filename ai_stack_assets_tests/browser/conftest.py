"""The real web server and daemon on a temporary folder, and a real Chromium before them. All tests share one site."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets_tests.browser.site import Site
from ai_stack_assets_tests.browser.sources import sample_with_a_past
from ai_stack_assets_tests.library import library
from ai_stack_assets_tests.platform import SAMPLE, break_gates
from ai_stack_assets_tests.servers.session import session

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two good configurations, of which `second` has a past in git, one whose gate fails, and code for a dataset."""
    require_chromium()
    folder = tmp_path_factory.mktemp("site")
    furnish(folder)
    with serving(folder) as site:
        yield site


def require_chromium() -> None:
    """Where CI says that it is one, nobody reads why something was skipped: there it fails."""
    if CHROMIUM is None:
        lost = pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip
        lost("NOT TESTED: the web interface, as Chromium is not installed (apt-get install chromium)")


def furnish(folder: Path) -> None:
    for name in ("first", "broken"):
        shutil.copytree(SAMPLE, folder / name)
    break_gates(folder / "broken")
    sample_with_a_past(folder / "second")
    names = "\n".join(f"  - {{name: {name}, source: {name}}}" for name in ("first", "second", "broken"))
    (folder / "configurations.yaml").write_text(f"configurations:\n{names}\n")
    repository = library(folder / "library")
    (folder / "dataset.yaml").write_text(
        "name: team/bsl\n"
        "postgres: {rights: {first: {licence: MIT, is_publishable: true}}}\n"
        f"github: {{repositories: ['{repository}'], licences: {{'{repository}': MIT}}, workers: 1}}\n"
    )


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """`make dev` on a folder with its `configurations.yaml` and `dataset.yaml`, until the context closes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site = Site(folder, free.getsockname()[1])
    own = {
        "AI_STACK_ASSETS_DATA": str(folder / "data"),
        "AI_STACK_ASSETS_CONFIGURATIONS": str(folder / "configurations.yaml"),
        "AI_STACK_ASSETS_DATASET": str(folder / "dataset.yaml"),
    }
    address = ["--port", str(site.port), "--host", "127.0.0.1"]
    command = [sys.executable, "-m", "ai_stack_assets", "dev", *address]
    with session(command, folder / "dev.log", own) as server:
        site.wait(lambda: server.poll() is not None or site.answers(), "the web server to answer")
        assert server.poll() is None, (folder / "dev.log").read_text()[-3000:]
        yield site


@pytest.fixture
def page(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=120_000)
        page = browser.new_page(viewport={"width": 1400, "height": 900}, base_url=site.url)
        page.set_default_timeout(120_000)
        yield page
        browser.close()
