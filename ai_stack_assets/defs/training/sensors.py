"""What starts training by itself: drift every half hour, a metric that fell every night. Small files are read, runs asked for."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.training.jobs import training_stage, week_of
from ai_stack_assets.domain.training import watching
from ai_stack_assets.domain.training.watching import Next
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import PARTITION_TAG
from ai_stack_assets.resources.training import TrainingResource

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
REASON_TAG = "ai_stack_assets/reason"
NO_WEEK = "No week of the dataset is over yet."


@dg.sensor(
    name="training_drift",
    job=training_stage,
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Measures drift when code has changed, and trains the models that the report chose; else says why not.",
)
def drift_changed(
    context: dg.SensorEvaluationContext, training_settings: TrainingResource
) -> dg.RunRequest | dg.SkipReason:
    week = week_of(training_settings)
    if week is None:
        return dg.SkipReason(NO_WEEK)
    if run := unfinished(context.instance, week):
        return dg.SkipReason(f"A training of week {week} is under way (run {run}).")
    found = watching.after_drift(training_settings.lake.open, week)
    if found.what != watching.NOTHING and found.key == context.cursor:
        return dg.SkipReason(f"{found.reason}. That was asked for before, and nothing has changed since.")
    context.update_cursor(found.key or context.cursor or "")
    return requested(found, week)


@dg.schedule(
    name="training_performance",
    job=training_stage,
    cron_schedule="0 3 * * *",
    execution_timezone=settings.time_zone(),
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Trains the models again whose metric on fresh code is below what training.yaml asks for, 03:00.",
)
def performance_fell(
    context: dg.ScheduleEvaluationContext, training_settings: TrainingResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    week = week_of(training_settings)
    if week is None:
        yield dg.SkipReason(NO_WEEK)
    elif run := unfinished(context.instance, week):
        yield dg.SkipReason(f"A training of week {week} is under way (run {run}).")
    else:
        found = watching.below_threshold(training_settings.lake.open, week, training_settings.settings())
        yield requested(found, week, is_forced=True)


def unfinished(instance: dg.DagsterInstance, week: str) -> str | None:
    """Id of a run that trains this week now."""
    filters = dg.RunsFilter(job_name=keys.TRAINING_JOB, tags={PARTITION_TAG: week}, statuses=UNFINISHED)
    return next((run.run_id for run in instance.get_runs(filters, limit=1)), None)


def requested(found: Next, week: str, *, is_forced: bool = False) -> dg.RunRequest | dg.SkipReason:
    """`is_forced`: train whatever the drift says."""
    if found.what == watching.NOTHING:
        return dg.SkipReason(found.reason)
    selection = [keys.DRIFT] if found.what == watching.MEASURE else [keys.FEATURES]
    for task in found.tasks:
        selection += [keys.EXAMPLES[task], keys.MODELS[task], keys.EVALUATIONS[task], keys.REGISTERED[task]]
    forced = {keys.MODELS[task].to_python_identifier(): {"config": {"force": True}} for task in found.tasks}
    return dg.RunRequest(
        run_key=found.key,
        partition_key=week,
        asset_selection=selection,
        run_config={"ops": forced} if is_forced else {},
        tags={REASON_TAG: found.reason[:250]},
    )
