"""The job of this stage, and the schedule that adds each day when it is over."""

import dagster as dg

from ai_stack_assets.orchestration import keys

history_job = dg.define_asset_job(
    keys.HISTORY_JOB,
    selection=dg.AssetSelection.groups(keys.HISTORY),
    description="The past of configurations, day by day: backfill any range of days.",
    # one step: a process of its own would only cost its start
    executor_def=dg.in_process_executor,
)

every_day = dg.build_schedule_from_partitioned_job(
    history_job,
    name="history_every_day",
    description="Adds yesterday to the history of each configuration.",
    hour_of_day=1,
)
