"""`--week` of a command: one of the weeks that its job is partitioned by."""

from __future__ import annotations

import dagster as dg


def week_of(job: dg.JobDefinition, wanted: str | None) -> str:
    """That week, or the newest that is over. Raises ValueError when there is no such week."""
    partitions = job.partitions_def
    weeks = partitions.get_partition_keys() if partitions else []
    if not weeks:
        raise ValueError("no week is over yet: AI_STACK_ASSETS_DATASET_FROM names the first one")
    if wanted and wanted not in weeks:
        raise ValueError(
            f"{wanted} is not a week: they begin on Sundays, from {weeks[0]} (AI_STACK_ASSETS_DATASET_FROM) to {weeks[-1]}"
        )
    return wanted or weeks[-1]
