"""A past week of the dataset from the web interface: its run, its checks, and the pictures on the assets' pages."""

from __future__ import annotations

from typing import Any

import pytest

from ai_stack_assets.defs.dataset.weeks import WEEKS
from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.browser.site import (
    Site,
    launch,
    open_launch_dialog,
    open_markdown,
    shoot,
    shown_pictures,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_past_week_is_built_and_its_pages_show_checks_and_pictures(page: Any, site: Site) -> None:
    site.first_loads()
    before, week = site.runs(), WEEKS.get_partition_keys()[-2]
    page.goto("/locations/ai_stack_assets/jobs/dataset_stage")
    open_launch_dialog(page)
    weeks = page.get_by_role("dialog").locator("input[type=text]").first
    weeks.fill(week)
    weeks.blur()
    page.get_by_text("1 partition", exact=True).wait_for()
    launch(page)
    [run] = site.ended_since(before)
    assert (run["status"], run["partition"]) == ("SUCCESS", week)
    for key, picture in ((keys.MERGED, "Rows by source"), (keys.FILTERED, "Quality score")):
        page.goto(f"/assets/{key.to_user_string()}?view=events&partition={week}")
        open_markdown(page, picture)
        assert shown_pictures(page) == 1
        shoot(page, site, picture)
    page.goto(f"/assets/{keys.PUBLISHED.to_user_string()}?view=events&partition={week}")
    page.get_by_text("mean_quality", exact=True).wait_for()
    shoot(page, site, "published")
    page.goto(f"/assets/{keys.PUBLISHED.to_user_string()}?view=checks")
    page.get_by_text("Passed", exact=True).first.wait_for()
    for check in ("schema_matches", "only_publishable_rows", "no_content_crosses_splits"):
        page.get_by_text(check, exact=True).first.locator("xpath=../..").get_by_text("Succeeded").wait_for()
    shoot(page, site, "checks")
    page.goto(f"/locations/ai_stack_assets/asset-groups/{keys.DATASET}/lineage")
    page.get_by_text("deduplicated", exact=True).first.wait_for()
    shoot(page, site, "dataset-lineage")
