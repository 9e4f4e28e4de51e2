"""The web interface as the tests see it: its GraphQL for what is asserted, and the few gestures that all tests make."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 600
"""Until something that should happen counts as missing: a loaded machine is slow, and only a failure waits so long."""
CONFIGURATIONS = ("first", "second", "broken")
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass
class Site:
    """`make dev` as a user has it."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str) -> Any:
        """GraphQL."""
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)["data"]

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ assetNodes { id } }")["assetNodes"])
        except (OSError, KeyError, TypeError):
            return False

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(1)
        raise TimeoutError(what)

    def runs(self) -> list[dict[str, Any]]:
        """Newest first: `id, status, partition`, and `steps` by status of those that have one."""
        query = (
            "{ runsOrError { ... on Runs { results { id status tags { key value } "
            "stepStats { stepKey status } } } } }"
        )
        found = self.ask(query)["runsOrError"]["results"]
        return [
            {
                "id": run["id"],
                "status": run["status"],
                "partition": {t["key"]: t["value"] for t in run["tags"]}.get("dagster/partition"),
                "steps": {step["stepKey"]: step["status"] for step in run["stepStats"]},
            }
            for run in found
        ]

    def first_loads(self) -> dict[str, dict[str, Any]]:
        """The runs of the sensor, by configuration, when they have ended."""

        def ended() -> dict[str, dict[str, Any]]:
            oldest = [r for r in reversed(self.runs()) if r["partition"] in CONFIGURATIONS][:3]
            return {r["partition"]: r for r in oldest if r["status"] in _ENDED}

        return self.wait(lambda: len(found := ended()) == 3 and found, "the first loads to end")

    def ended_since(self, before: list[dict[str, Any]], count: int = 1) -> list[dict[str, Any]]:
        """The runs that are not among those before, when so many have ended."""
        known = {run["id"] for run in before}

        def ended() -> list[dict[str, Any]]:
            return [r for r in self.runs() if r["id"] not in known and r["status"] in _ENDED]

        return self.wait(lambda: len(found := ended()) >= count and found, f"{count} runs to end")

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

    def partitions_of(self, key: Any) -> set[str]:
        """Those of which the asset has materialisations."""
        path = ", ".join(f'"{part}"' for part in key.path)
        node = f"assetNodeOrError(assetKey: {{path: [{path}]}})"
        query = f"{{ {node} {{ ... on AssetNode {{ assetMaterializations {{ partition }} }} }} }}"
        found = self.ask(query)["assetNodeOrError"]["assetMaterializations"]
        return {event["partition"] for event in found}


def shoot(page: Any, site: Site, name: str) -> None:
    """A picture beside the site's data; `--basetemp` keeps them."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(site.folder / f"{name}.png"))


def launch(page: Any) -> None:
    page.get_by_role("button", name=re.compile("^Launch")).click()


def open_launch_dialog(page: Any) -> None:
    page.get_by_role("button", name=re.compile("Materialize")).first.click()


def choose(page: Any, *configurations: str) -> None:
    """In the dialog of partitions: exactly these."""
    page.get_by_role("dialog").get_by_role("img", name="expand_more").first.click()
    for name in CONFIGURATIONS:
        row = page.locator(".dagster-popover li").filter(has=page.get_by_text(name, exact=True)).last
        if row.locator("input").is_checked() != (name in configurations):
            row.click()
    page.keyboard.press("Escape")


def open_markdown(page: Any, label: str) -> None:
    """Markdown of a thousand letters or more is shown on a click."""
    row = page.locator("tr").filter(has=page.get_by_text(label, exact=True)).last
    row.get_by_text("[Show Markdown]").click()


def shown_pictures(page: Any) -> int:
    """How many SVG pictures of metadata the browser has drawn, once there is one."""
    pictures = page.locator("img[src^='data:image/svg']")
    pictures.first.wait_for()
    drawn = pictures.evaluate_all("all => all.map(image => image.complete && image.naturalWidth > 0)")
    return sum(drawn) if all(drawn) else 0
