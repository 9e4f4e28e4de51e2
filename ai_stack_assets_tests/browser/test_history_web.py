"""A backfill of history as a user starts it, and the pictures on the assets' pages."""

from __future__ import annotations

from typing import Any

import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.browser.site import (
    Site,
    choose,
    launch,
    open_launch_dialog,
    open_markdown,
    shoot,
    shown_pictures,
)
from ai_stack_assets_tests.browser.sources import PAST

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_range_of_months_is_backfilled_in_one_run_and_the_pages_show_the_trend(
    page: Any, site: Site
) -> None:
    site.first_loads()
    before = site.runs()
    page.goto("/locations/ai_stack_assets/jobs/history_stage")
    open_launch_dialog(page)
    choose(page, "second")
    months = page.get_by_role("dialog").get_by_placeholder("ex: ")
    months.fill(f"[{PAST[0]}...{PAST[-1]}]")
    months.blur()
    page.get_by_text("3 partitions", exact=True).wait_for()
    launch(page)
    [run] = site.ended_since(before)
    assert run["status"] == "SUCCESS"
    for key in keys.HISTORY_KEYS.values():
        assert site.partitions_of(key) == {f"second|{month}" for month in PAST}
        page.goto(f"/assets/{key.to_user_string()}?view=events&partition=second%7C{PAST[-1]}")
        open_markdown(page, "trend")
        assert shown_pictures(page) == 1
        shoot(page, site, f"{key.path[-1]}-trend")
