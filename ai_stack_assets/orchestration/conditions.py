"""Automation conditions: when an asset is requested without a schedule."""

from __future__ import annotations

import dagster as dg


def when_gates_pass(optional: dg.AssetKey | None = None) -> dg.AutomationCondition:
    """As soon as what it reads is new, unless a blocking check of that has failed.

    Args:
        optional: what it reads once that is there, and does not wait for.
    """
    new = dg.AutomationCondition.eager()
    if optional:
        missing = dg.AutomationCondition.any_deps_missing().with_label("any_deps_missing")
        new = new.replace("any_deps_missing", missing.ignore(dg.AssetSelection.assets(optional)))
    return new & dg.AutomationCondition.all_deps_blocking_checks_passed()
