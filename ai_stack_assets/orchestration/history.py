"""From a day of history to Dagster's events: one materialisation per table and day, as soon as the day is done."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.partitions import history_key

if TYPE_CHECKING:
    from ai_stack_assets.domain.onec.history.backfill import Day, History


def events(
    configuration: str, past: History, day: Day, selected: Set[dg.AssetKey], *, is_last: bool
) -> Iterator[dg.AssetMaterialization]:
    """Of the selected tables. `is_last`: of its run, which shows the whole picture even when nothing happened that day."""
    partition = history_key(configuration, day.day.isoformat())
    for table, key in keys.HISTORY_KEYS.items():
        if key in selected:
            facts: dict[str, Any] = metadata.history_day(
                past, day, table, with_trend=bool(day.row) or is_last
            )
            yield dg.AssetMaterialization(key, partition=partition, metadata=facts)


def said(configuration: str, day: Day) -> str:
    """One line for the log: what the day was, and how long it took. Days without a commit are not worth one."""
    what = {
        "unchanged": "",
        "no_commit": "",
        "failed": f"FAILED: {day.error}",
        "absent": f"{day.row.get('reason')}",
        "read": _counts(day.row) if day.row else "",
    }[day.status]
    if not what:
        return ""
    commit = f"{day.commit.id[:10]} " if day.commit else ""
    kept = "" if day.is_new or day.status not in ("read", "absent") else " (known already)"
    return f"{configuration} {day.day} {commit}{what}{kept}, {day.seconds:.2f} s"


def _counts(row: dict[str, Any]) -> str:
    changes = ""
    if row["previous_commit"]:
        objects, methods = (
            "/".join(f"{sign}{row[f'{what}_{change}']}" for sign, change in zip("+~-", _CHANGES, strict=True))
            for what in ("objects", "methods")
        )
        changes = f"; objects {objects}, methods {methods}"
    return f"{row['objects']:,} objects, {row['methods']:,} methods, {row['lines']:,} lines{changes}"


_CHANGES = ("added", "changed", "removed")
