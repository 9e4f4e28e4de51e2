"""What a user does with configurations in the web interface: looks at the lineage, materialises, backfills, retries a store."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.browser.site import Site, choose, launch, open_launch_dialog, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAKE = {key.to_user_string() for key in keys.LAKE_TABLES.values()}
STORES = {key.to_user_string() for key in keys.STORE_KEYS}
STORE_STEPS = {key.to_python_identifier() for key in keys.STORE_KEYS}
GRAPH, MOST_CALLED = keys.NEO4J_GRAPH.to_python_identifier(), keys.NEO4J_MOST_CALLED.to_python_identifier()


def test_new_configurations_are_loaded_by_themselves_and_a_gate_stops_one(page: Any, site: Site) -> None:
    """The sensor finds three; the gate of the third stops its stores, and the run page says why."""
    runs = site.first_loads()
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


def test_the_lineage_leads_by_clicks_from_a_store_to_the_source(page: Any, site: Site) -> None:
    """From the graph to the table that it is made of, and there to the folder that was read."""
    site.first_loads()
    page.goto("/asset-groups")
    for group in (keys.EXTRACTION, keys.STORES, keys.HISTORY, keys.DATASET):
        page.get_by_text(group, exact=True).first.wait_for()
    shoot(page, site, "lineage-groups")
    page.goto("/assets/neo4j/onec/graph")
    page.get_by_role("tab", name="Lineage").click()
    for name in ("calls", "references", "most_call…_methods"):
        page.get_by_text(name, exact=True).first.wait_for()
    shoot(page, site, "lineage")
    page.get_by_text("objects", exact=True).first.click()
    page.wait_for_url(re.compile("/assets/lake/onec/objects"))
    page.get_by_text("vectoriser", exact=True).first.wait_for()
    page.get_by_role("tab", name="Events").click()
    page.get_by_text(re.compile(re.escape(str(site.folder)))).first.wait_for()
    shoot(page, site, "source")


def test_an_asset_is_materialised_from_its_page(page: Any, site: Site) -> None:
    site.first_loads()
    before = site.runs()
    page.goto("/assets/elasticsearch/onec/documents")
    open_launch_dialog(page)
    choose(page, "first")
    launch(page)
    [run] = site.ended_since(before)
    assert (run["status"], run["partition"]) == ("SUCCESS", "first")
    assert set(run["steps"]) == {keys.ELASTICSEARCH_DOCUMENTS.to_python_identifier()}
    page.goto("/assets/elasticsearch/onec/documents?view=events&partition=first")
    page.get_by_text("lake_version").first.wait_for()
    shoot(page, site, "materialised")


def test_two_configurations_are_backfilled_together(page: Any, site: Site) -> None:
    site.first_loads()
    before = site.runs()
    page.goto("/locations/ai_stack_assets/jobs/onec_pipeline")
    open_launch_dialog(page)
    choose(page, "first", "second")
    shoot(page, site, "backfill-dialog")
    launch(page)
    done = site.ended_since(before, 2)
    assert {(run["partition"], run["status"]) for run in done} == {
        ("first", "SUCCESS"),
        ("second", "SUCCESS"),
    }
    page.goto("/runs")
    page.get_by_text("onec_pipeline").first.wait_for()
    shoot(page, site, "runs")


def test_only_the_store_that_failed_is_retried(page: Any, site: Site) -> None:
    """One red and three green; once it is mended, `From failure` runs that store and what hangs on it."""
    site.first_loads()
    graph = site.folder / "data" / "stores" / "graph" / "second"
    aside = graph.rename(graph.with_name("aside"))
    graph.write_text("a file where the store's folder should be")
    before = site.runs()
    page.goto("/locations/ai_stack_assets/jobs/stores_stage")
    open_launch_dialog(page)
    choose(page, "second")
    launch(page)
    [failed] = site.ended_since(before)
    assert failed["status"] == "FAILURE"
    assert {step for step, status in failed["steps"].items() if status == "FAILURE"} == {GRAPH}
    assert {s for s, status in failed["steps"].items() if status == "SUCCESS"} >= STORE_STEPS - {GRAPH}
    page.set_viewport_size({"width": 1400, "height": 1500})
    page.goto(f"/runs/{failed['id']}")
    page.get_by_text("Errored (1)").wait_for()
    page.get_by_text("Succeeded (6)").wait_for()
    shoot(page, site, "one-store-failed")
    graph.unlink()
    aside.rename(graph)
    before = site.runs()
    page.get_by_role("button", name=re.compile("^Re-execute")).locator(
        "xpath=following-sibling::*"
    ).first.click()
    page.get_by_role("menuitem", name=re.compile("From failure")).click()
    [again] = site.ended_since(before)
    assert again["steps"] == {GRAPH: "SUCCESS", MOST_CALLED: "SUCCESS"}
    page.goto(f"/runs/{again['id']}")
    page.get_by_text("Re-executions (1)").wait_for()
    shoot(page, site, "only-it-retried")
