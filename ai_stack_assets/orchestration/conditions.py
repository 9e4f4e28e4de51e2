"""Automation conditions: when an asset is requested without a schedule."""

from __future__ import annotations

import dagster as dg


def when_gates_pass() -> dg.AutomationCondition:
    """As soon as what it reads is new, unless a blocking check of that has failed."""
    return dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()
