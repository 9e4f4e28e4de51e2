"""The job of this stage, and its week."""

import dagster as dg

from ai_stack_assets.defs.dataset.weeks import is_as_it_was
from ai_stack_assets.defs.shared.jobs import executor_of_settings
from ai_stack_assets.orchestration import executors, keys

dataset_job = dg.define_asset_job(
    keys.DATASET_JOB,
    executor_def=executors.light(executor_of_settings(), is_as_it_was),
    selection=dg.AssetSelection.groups(keys.DATASET),
    description="The BSL dataset of a week: three sources, one clean published revision.",
    # seconds: a polite walk through 20,000 articles of ITS takes six hours alone
    tags={"dagster/max_runtime": 43_200},
)

# Sunday 00:00: the week that has just ended
every_sunday = dg.build_schedule_from_partitioned_job(
    dataset_job,
    name="dataset_every_sunday",
    description="Builds and publishes the dataset of the week that has just ended, Sunday 00:00.",
)
