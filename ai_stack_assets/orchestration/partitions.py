"""The partitionings of 1C data: a dynamic partition per configuration of `configurations.yaml`, for history its months too."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import dagster as dg

CONFIGURATION = "configuration"

CONFIGURATIONS = dg.DynamicPartitionsDefinition(name=CONFIGURATION)

PARTITION_TAG = "dagster/partition"
"""Run tag by which runs of one configuration are found, and kept from overlapping (dagster.yaml)."""

PERIOD = "period"
MONTH, DAY = "month", "day"


def history_periods(first_day: str, time_zone: str, by: str = MONTH) -> dg.MultiPartitionsDefinition:
    """Each month (or day) of each configuration, the present one included. Key: `trade|2020-01`.

    By month on purpose: Dagster writes two events per asset and partition, 5 ms each in SQLite on a quiet machine, so
    seven years by day cost minutes before any work is done; by month, seconds. Rows are by day either way.
    """
    options: dict[str, Any] = {"timezone": time_zone, "end_offset": 1}
    if by == DAY:
        periods: dg.PartitionsDefinition = dg.DailyPartitionsDefinition(first_day, **options)
    else:
        periods = dg.MonthlyPartitionsDefinition(first_day[:7], fmt="%Y-%m", **options)
    return dg.MultiPartitionsDefinition({CONFIGURATION: CONFIGURATIONS, PERIOD: periods})


def periods_of(history: dg.MultiPartitionsDefinition) -> dg.TimeWindowPartitionsDefinition:
    periods = history.get_partitions_def_for_dimension(PERIOD)
    assert isinstance(periods, dg.TimeWindowPartitionsDefinition)
    return periods


def days_of(history: dg.MultiPartitionsDefinition, period: str) -> list[date]:
    """All days of a period, those to come included."""
    window = periods_of(history).time_window_for_partition_key(period)
    return [window.start.date() + timedelta(n) for n in range((window.end.date() - window.start.date()).days)]


def history_key(configuration: str, period: str) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({CONFIGURATION: configuration, PERIOD: period})


def weeks(first: str, time_zone: str) -> dg.WeeklyPartitionsDefinition:
    """Each week of the dataset, from Sunday 00:00 to the next, named by its first day: `2026-11-15`."""
    return dg.WeeklyPartitionsDefinition(first, timezone=time_zone, day_offset=0)


def is_over(partitions: dg.TimeWindowPartitionsDefinition, key: str) -> bool:
    """Whether a later partition has ended since: the newest complete one is still being made."""
    return key != partitions.get_last_partition_key()
