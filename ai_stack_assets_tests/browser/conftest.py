"""The real web server and daemon on a temporary folder, and a real Chromium before them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets_tests.platform import PROJECT, SAMPLE, break_gates

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
SECONDS = 240


@dataclass
class Site:
    """`make dev` as a user has it, with two good configurations and one whose gate fails."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str) -> Any:
        """GraphQL."""
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]

    def runs(self) -> list[dict[str, Any]]:
        """Newest first: `id, status, partition`."""
        query = "{ runsOrError { ... on Runs { results { id status tags { key value } } } } }"
        found = self.ask(query)["runsOrError"]["results"]
        partition = "dagster/partition"
        return [
            {**run, "partition": next((t["value"] for t in run["tags"] if t["key"] == partition), None)}
            for run in found
        ]

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(1)
        raise TimeoutError(what)

    def wait_for_runs(self, count: int) -> list[dict[str, Any]]:
        """Until so many have ended."""
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        return self.wait(
            lambda: len(done := [r for r in self.runs() if r["status"] in ended]) >= count and done,
            f"{count} runs to end",
        )

    def materialised(self, configuration: str) -> set[str]:
        query = (
            "{ assetNodes { assetKey { path } assetPartitionStatuses "
            "{ ... on DefaultPartitionStatuses { materializedPartitions } } } }"
        )
        return {
            "/".join(node["assetKey"]["path"])
            for node in self.ask(query)["assetNodes"]
            if configuration in node["assetPartitionStatuses"].get("materializedPartitions", [])
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    folder = tmp_path_factory.mktemp("site")
    for name in ("first", "second", "broken"):
        shutil.copytree(SAMPLE, folder / name)
    break_gates(folder / "broken")
    names = "\n".join(f"  - {{name: {name}, source: {name}}}" for name in ("first", "second", "broken"))
    (folder / "configurations.yaml").write_text(f"configurations:\n{names}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site = Site(folder, free.getsockname()[1])
    own = {
        "AI_STACK_ASSETS_DATA": str(folder / "data"),
        "AI_STACK_ASSETS_CONFIGURATIONS": str(folder / "configurations.yaml"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [
        sys.executable,
        "-m",
        "ai_stack_assets",
        "dev",
        "--port",
        str(site.port),
        "--host",
        "127.0.0.1",
    ]
    with (folder / "dev.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **own}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        site.wait(lambda: answers(site), "the web server to answer")
        yield site
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def answers(site: Site) -> bool:
    try:
        return bool(site.ask("{ assetNodes { id } }")["assetNodes"])
    except (OSError, KeyError, TypeError):
        return False


@pytest.fixture
def page(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=site.url)
        page.set_default_timeout(60_000)
        yield page
        browser.close()
