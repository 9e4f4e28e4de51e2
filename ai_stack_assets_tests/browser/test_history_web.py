"""A backfill of history as a user starts it, done by the daemon; and the picture on the asset's page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.browser.conftest import CHROMIUM, Site, serving
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MONTHS = [f"trade|2020-0{month}" for month in (1, 2, 3)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    folder = tmp_path_factory.mktemp("past")
    repository = Repository(folder / "trade")
    for day, methods in (("01-10", "А"), ("01-20", "А Б"), ("03-05", "А В Г")):
        repository.commit(f"2020-{day}", sources(methods))
    # switched off: nothing of it is run by itself
    entry = f"  - {{name: trade, source: '{repository.folder}@main'}}"
    (folder / "configurations.yaml").write_text(f"configurations:\n{entry}\n")
    with serving(folder) as site:
        yield site


def backfill(site: Site) -> str:
    """As the dialog of the asset's page asks for it."""
    assets = ", ".join(f"{{path: {json.dumps(key.path)}}}" for key in keys.HISTORY_KEYS.values())
    asked = f"{{partitionNames: {json.dumps(MONTHS)}, assetSelection: [{assets}]}}"
    answer = site.ask(
        f"mutation {{ launchPartitionBackfill(backfillParams: {asked})"
        " { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"
    )["launchPartitionBackfill"]
    return answer["backfillId"]


def test_one_click_backfills_months_in_one_run_and_the_page_shows_the_trend(page: Any, site: Site) -> None:
    partitions = "{ assetNodes { assetKey { path } partitionKeys } }"
    site.wait(
        lambda: any(MONTHS[0] in node["partitionKeys"] for node in site.ask(partitions)["assetNodes"]),
        "the sensor to add the configuration",
    )
    wanted = backfill(site)
    query = f'{{ partitionBackfillOrError(backfillId: "{wanted}") {{ ... on PartitionBackfill {{ status numPartitions }} }} }}'
    done = site.wait(
        lambda: (
            (b := site.ask(query)["partitionBackfillOrError"])["status"].startswith(("COMPLETED", "FAILED"))
            and b
        ),
        "the backfill to end",
    )
    assert (done["status"], done["numPartitions"]) == ("COMPLETED_SUCCESS", 3)
    found = site.ask("{ runsOrError { ... on Runs { results { id tags { key value } } } } }")["runsOrError"][
        "results"
    ]
    assert len([run for run in found if {"key": "dagster/backfill", "value": wanted} in run["tags"]]) == 1
    page.goto("/assets/lake/onec/history?view=events")
    # markdown of more than a thousand letters opens on a click
    page.locator("tr", has=page.get_by_text("trend", exact=True)).get_by_text("[Show Markdown]").click()
    picture = page.locator("img[src^='data:image/svg']").first
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 640
    page.screenshot(path=str(site.folder / "history-trend.png"))
