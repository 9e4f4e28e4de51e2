"""The weekly partitions of this stage, and one of them opened for work."""

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.dataset.pipeline import Week
from ai_stack_assets.orchestration.partitions import weeks
from ai_stack_assets.resources.dataset import DatasetResource
from ai_stack_assets.resources.lake import LakeResource

WEEKS = weeks(settings.first_week_of_dataset(), settings.time_zone())


def open_week(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    lake: LakeResource,
    dataset: DatasetResource,
) -> Week:
    return Week(lake.open, context.partition_key, dataset.settings(), dataset.work(context.partition_key))
