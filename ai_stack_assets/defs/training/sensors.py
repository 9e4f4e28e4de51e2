"""What starts training by itself: drift every half hour, a metric that fell every night. Small files are read, runs asked for."""

from collections.abc import Iterator, Sequence

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
REASON_TAG, CAUSE_TAG = "ai_stack_assets/reason", "ai_stack_assets/cause"
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
    description="Searches for a better model where the metric on fresh code is below what training.yaml asks for, once a cause.",
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
        yield from once(context.instance, found, week)


def once(
    instance: dg.DagsterInstance, found: Sequence[Next], week: str
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """What no run was asked for before. The same parameters would give the same model: others are searched for."""
    known = {each.key for each in found if each.key and asked_before(instance, each.key)}
    for each in found:
        if each.what != watching.NOTHING and each.key not in known:
            yield requested(each, week, search=True)
    if all(each.what == watching.NOTHING or each.key in known for each in found):
        again = "; that was asked for before, and neither the model nor the dataset is another one"
        yield dg.SkipReason("; ".join(each.reason + again * (each.key in known) for each in found))


def asked_before(instance: dg.DagsterInstance, cause: str) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(tags={CAUSE_TAG: cause}), limit=1))


def unfinished(instance: dg.DagsterInstance, week: str) -> str | None:
    """Id of a run that trains this week now."""
    filters = dg.RunsFilter(job_name=keys.TRAINING_JOB, tags={PARTITION_TAG: week}, statuses=UNFINISHED)
    return next((run.run_id for run in instance.get_runs(filters, limit=1)), None)


def requested(found: Next, week: str, *, search: bool = False) -> dg.RunRequest | dg.SkipReason:
    """`search`: train whatever the drift says, with the best parameters that are found."""
    if found.what == watching.NOTHING:
        return dg.SkipReason(found.reason)
    selection = [keys.DRIFT] if found.what == watching.MEASURE else [keys.FEATURES]
    for task in found.tasks:
        selection += [keys.EXAMPLES[task], keys.MODELS[task], keys.EVALUATIONS[task], keys.REGISTERED[task]]
    searched = {
        keys.MODELS[task].to_python_identifier(): {"config": {"search": True}} for task in found.tasks
    }
    return dg.RunRequest(
        run_key=found.key,
        partition_key=week,
        asset_selection=selection,
        run_config={"ops": searched} if search else {},
        tags={REASON_TAG: found.reason[:250], CAUSE_TAG: found.key},
    )
