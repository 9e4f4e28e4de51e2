"""The weekly partitions of this stage, and one of them opened for work."""

from typing import Any

import dagster as dg

from ai_stack_assets.defs.shared import resources, settings
from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.pipeline import SOURCE_TABLES, Week
from ai_stack_assets.orchestration.partitions import PARTITION_TAG, is_over, weeks
from ai_stack_assets.resources.dataset import DatasetResource
from ai_stack_assets.resources.lake import LakeResource

WEEKS = weeks(settings.first_week_of_dataset(), settings.time_zone())


def is_as_it_was(run: dg.DagsterRun) -> bool:
    """Whether a run of the dataset's job will find its week as it is."""
    week = run.tags.get(PARTITION_TAG)
    steps: Any = run.run_config.get("ops", {})
    reads_again = any(step.get("config", {}).get("read_again") for step in steps.values())
    if not week or reads_again:
        return False
    try:
        with resources.dataset_sources().process_config_and_initialize_cm() as asked:
            sources = {name: asked.open(name) for name in SOURCE_TABLES}
            opened = Week(resources.lake().open, week, asked.dataset.settings(), asked.dataset.work(week))
            return opened.is_as_it_was(sources, is_past=is_over(WEEKS, week))
    except (PermanentError, TransientError):  # the steps tell
        return False


def open_week(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    lake: LakeResource,
    dataset: DatasetResource,
) -> Week:
    return Week(lake.open, context.partition_key, dataset.settings(), dataset.work(context.partition_key))
