"""The partitionings of 1C data: a dynamic partition per configuration listed in `configurations.yaml`; for history, its days."""

from __future__ import annotations

import dagster as dg

CONFIGURATION = "configuration"

CONFIGURATIONS = dg.DynamicPartitionsDefinition(name=CONFIGURATION)

PARTITION_TAG = "dagster/partition"
"""Run tag by which runs of one configuration are found, and kept from overlapping (dagster.yaml)."""

DAY = "day"


def history_days(first: str, time_zone: str) -> dg.MultiPartitionsDefinition:
    """Each day of each configuration, from `first` (`2019-01-01`) to yesterday. Key: `trade|2020-01-16`."""
    days = dg.DailyPartitionsDefinition(first, timezone=time_zone)
    return dg.MultiPartitionsDefinition({CONFIGURATION: CONFIGURATIONS, DAY: days})


def history_key(configuration: str, day: str) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({CONFIGURATION: configuration, DAY: day})


def weeks(first: str, time_zone: str) -> dg.WeeklyPartitionsDefinition:
    """Each week of the dataset, from Sunday 00:00 to the next, named by its first day: `2026-11-15`."""
    return dg.WeeklyPartitionsDefinition(first, timezone=time_zone, day_offset=0)


def is_over(partitions: dg.TimeWindowPartitionsDefinition, key: str) -> bool:
    """Whether a later partition has ended since: the newest complete one is still being made."""
    return key != partitions.get_last_partition_key()
