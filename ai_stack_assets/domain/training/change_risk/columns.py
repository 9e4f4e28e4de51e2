"""Names of the columns that examples of change risk have beside those of the features table. A saved model needs no more."""

from __future__ import annotations

from collections.abc import Mapping

METHOD_ID = "method_id"
"""`methods.id`: what history knows a method by."""
SNAPSHOT = "snapshot"
"""The day that ended with the state, `2025-06-17`."""
LABEL = "is_changed"
"""Changed or removed within a year after that day."""
PAST: Mapping[str, str] = {
    "age_days": "Days since it was added; null when it is older than the history",
    "days_since_change": "Days since its source changed last; null when it never did",
    "changes_12m": "Days on which its source changed, of the last 365",
    "changes_36m": "The same of the last 1,095",
    "module_methods": "Methods of its module",
    "module_changes_12m": "Methods added, changed and removed in its module in the last 365 days, per method",
    "module_changes_36m": "The same of the last 1,095",
    "module_added_12m": "Methods added to its module in the last 365 days, per method",
    "family_changes_12m": "Methods added, changed and removed in its family of modules in the last 365 days, per method",
}
"""Name → meaning. What they count is known when the day ended."""
