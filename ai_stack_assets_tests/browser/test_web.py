"""What a user does in the web interface: looks at the lineage, materialises, backfills, sees what a gate stopped.

Screenshots lie beside the site's data; `--basetemp` keeps them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAKE = {key.to_user_string() for key in keys.LAKE_TABLES.values()}
STORES = {key.to_user_string() for key in keys.STORE_KEYS}


def shoot(page: Any, site: Site, name: str) -> None:
    page.wait_for_timeout(1500)
    page.screenshot(path=str(site.folder / f"{name}.png"))


def test_new_configurations_are_loaded_by_themselves_and_a_gate_stops_one(page: Any, site: Site) -> None:
    """The sensor finds three; the gate of the third stops its stores, and the run page says why."""
    runs = {run["partition"]: run for run in site.wait_for_runs(3)}
    assert {name: run["status"] for name, run in runs.items()} == {
        "first": "SUCCESS",
        "second": "SUCCESS",
        "broken": "FAILURE",
    }
    loaded = site.materialised("first") & site.materialised("second")
    assert loaded >= LAKE | STORES
    assert site.materialised("broken") == LAKE
    page.goto(f"/runs/{runs['broken']['id']}")
    page.get_by_text("children_match_configuration").first.wait_for()
    shoot(page, site, "failing-gate")


def test_the_lineage_shows_the_way_from_the_tables_to_the_stores(page: Any, site: Site) -> None:
    page.goto("/asset-groups")
    for group in ("extraction", "stores"):
        page.get_by_text(group).first.wait_for()
    shoot(page, site, "lineage-groups")
    page.goto("/assets/neo4j/onec/graph?view=lineage")
    for name in ("calls", "references", "graph"):
        page.get_by_text(name, exact=True).first.wait_for()
    shoot(page, site, "lineage")


def test_an_asset_is_materialised_from_its_page(page: Any, site: Site) -> None:
    before = len(site.wait_for_runs(3))
    page.goto("/assets/elasticsearch/onec/documents")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    choose(page, "first")
    page.get_by_role("button", name=re.compile("^Launch")).click()
    newest = site.wait(lambda: len(r := site.wait_for_runs(before)) > before and r[0], "the run to end")
    assert (newest["status"], newest["partition"]) == ("SUCCESS", "first")
    page.goto("/assets/elasticsearch/onec/documents?view=events&partition=first")
    shoot(page, site, "materialised")


def test_two_configurations_are_backfilled_together(page: Any, site: Site) -> None:
    before = len(site.wait_for_runs(3))
    page.goto("/locations/ai_stack_assets/jobs/onec_pipeline")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    choose(page, "first", "second")
    shoot(page, site, "backfill-dialog")
    page.get_by_role("button", name=re.compile("^Launch")).click()
    done = site.wait(lambda: len(r := site.wait_for_runs(before)) >= before + 2 and r, "both runs to end")
    assert {(run["partition"], run["status"]) for run in done[: len(done) - before]} == {
        ("first", "SUCCESS"),
        ("second", "SUCCESS"),
    }
    page.goto("/runs")
    shoot(page, site, "runs")


def choose(page: Any, *configurations: str) -> None:
    """In the dialog of partitions: exactly these."""
    page.get_by_role("dialog").get_by_role("img", name="expand_more").first.click()
    for name in ("first", "second", "broken"):
        row = page.locator(".dagster-popover li").filter(has=page.get_by_text(name, exact=True)).last
        if row.locator("input").is_checked() != (name in configurations):
            row.click()
    page.keyboard.press("Escape")
