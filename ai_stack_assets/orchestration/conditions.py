"""Automation conditions: when an asset is requested without a schedule."""

from __future__ import annotations

import dagster as dg


def when_gates_pass(optional: dg.AssetKey | None = None) -> dg.AutomationCondition:
    """As soon as what it reads is new, unless a blocking check of that has failed.

    Args:
        optional: what it reads once that is there, and does not wait for. Another one of it is answered by a later request
            alone: `eager` takes one that comes in the same tick as a request or an update of the asset for done.
    """
    new = dg.AutomationCondition.eager()
    if optional:
        only, updated = dg.AssetSelection.assets(optional), dg.AutomationCondition.newly_updated()
        missing = dg.AutomationCondition.any_deps_missing().with_label("any_deps_missing").ignore(only)
        is_another = dg.AutomationCondition.any_deps_match(updated).allow(only)
        answered = dg.AutomationCondition.newly_requested() & ~is_another
        asked = is_another.since(answered) & ~missing
        new = new.replace("any_deps_missing", missing) | asked
    return new & at_rest() & dg.AutomationCondition.all_deps_blocking_checks_passed()


def at_rest() -> dg.AutomationCondition:
    """Nothing of it or of what it reads was being made in the tick before, either.

    Of a run that ends while a tick looks, the tick sees the end, but not what was made last: it would ask for that again.
    """
    idle = ~(dg.AutomationCondition.any_deps_in_progress() | dg.AutomationCondition.in_progress())
    return idle & ~idle.newly_true()
