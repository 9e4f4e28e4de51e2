"""The job of this stage, and the schedule that adds each day when it is over."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION, history_key, history_periods, periods_of
from ai_stack_assets.resources.configurations import ConfigurationsResource

history_job = dg.define_asset_job(
    keys.HISTORY_JOB,
    selection=dg.AssetSelection.groups(keys.HISTORY),
    description="The past of configurations, from their git repositories: backfill any range of months.",
    # one step: a process of its own would only cost its start
    executor_def=dg.in_process_executor,
)


@dg.schedule(
    name="history_every_day",
    job=history_job,
    cron_schedule="0 1 * * *",
    execution_timezone=settings.time_zone(),
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Adds the day that is over to the history of each configuration that has a git repository.",
)
def history_every_day(
    context: dg.ScheduleEvaluationContext, configurations: ConfigurationsResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yesterday's period: on the first of a month that is the month before."""
    from datetime import timedelta

    from ai_stack_assets.domain.onec.history.commits import has_history

    yesterday = context.scheduled_execution_time - timedelta(days=1)
    period = periods_of(history_periods(*settings.history())).get_partition_key_for_timestamp(
        yesterday.timestamp()
    )
    known = set(context.instance.get_dynamic_partitions(CONFIGURATION))
    entries = [e for e in configurations.entries().values() if e.enabled and e.name in known]
    names = [entry.name for entry in entries if has_history(entry.location)]
    for name in names:
        run_key = f"{name}@{context.scheduled_execution_time.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=history_key(name, period))
    if not names:
        yield dg.SkipReason("No configuration has a git repository.")
