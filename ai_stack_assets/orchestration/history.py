"""Between Dagster's partitions of history and the domain's days: what a run is asked for, what it says, what it has made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PERIOD, days_of, history_key

if TYPE_CHECKING:
    from ai_stack_assets.domain.onec.history.backfill import Day, History

Periods = Mapping[str, list[date]]
"""Days by period, oldest first."""


def wanted_periods(context: dg.AssetExecutionContext) -> dict[str, Periods]:
    """What the run is asked for, by configuration."""
    history = context.assets_def.partitions_def
    assert isinstance(history, dg.MultiPartitionsDefinition)
    wanted: dict[str, dict[str, list[date]]] = {}
    for key in sorted(_partition_keys(context, history)):
        keys_by = history.get_partition_key_from_str(key).keys_by_dimension
        period = keys_by[PERIOD]
        wanted.setdefault(keys_by[CONFIGURATION], {})[period] = days_of(history, period)
    return dict(wanted)


def _partition_keys(
    context: dg.AssetExecutionContext, history: dg.MultiPartitionsDefinition
) -> Iterable[str]:
    """The backfill of a job tags its run with the whole range and with the dimensions of the first key: Dagster's own
    `partition_keys` goes by the latter, and all but the first would be left out without a word."""
    first, last = (
        context.run.tags.get(tag) for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    )
    if first is None or last is None:
        return context.partition_keys
    return history.get_partition_keys_in_range(dg.PartitionKeyRange(first, last), context.instance)


def backfilled(
    context: dg.AssetExecutionContext, configuration: str, past: History, periods: Periods, failed: list[str]
) -> Iterator[dg.AssetMaterialization]:
    """One event per table and period, as soon as all its days that are over are done; faults of the others go to `failed`."""
    today = datetime.now(past.zone).date()
    for period, wanted in periods.items():
        days = []
        for day in past.days(day for day in wanted if day < today):
            days.append(day)
            if line := said(configuration, day):
                context.log.info(line)
        faults = [f"{configuration} {day.day}: {day.error}" for day in days if day.error]
        failed += faults
        is_last = period == max(periods)
        for table, key in keys.HISTORY_KEYS.items():
            if key in context.selected_asset_keys and not faults:
                facts = metadata.history_period(past, days, table, is_last=is_last)
                partition = history_key(configuration, period)
                yield dg.AssetMaterialization(key, partition=partition, metadata=facts)


def said(configuration: str, day: Day) -> str:
    """One line for the log: what the day was, and how long it took. Days without a commit are not worth one."""
    if day.error:
        what = f"FAILED: {day.error}"
    elif day.row:
        what = _counts(day.row) if day.status == "read" else day.row["reason"]
    else:
        return ""
    commit = f"{day.commit.id[:10]} " if day.commit else ""
    known = "" if day.is_new or day.error else " (known already)"
    return f"{configuration} {day.day} {commit}{what}{known}, {day.seconds:.2f} s"


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
