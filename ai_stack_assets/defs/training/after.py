"""What follows a training however it ended: cleaning up, a message with its numbers, another try with other parameters.

Sensors and not steps: a step that waits for others is skipped as soon as one of them fails.
"""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.training.jobs import training_cleanup, training_features, training_stage
from ai_stack_assets.orchestration import keys, training_runs
from ai_stack_assets.orchestration.partitions import PARTITION_TAG
from ai_stack_assets.resources.alerts import AlertsResource

ENDS = {
    "success": dg.DagsterRunStatus.SUCCESS,
    "failure": dg.DagsterRunStatus.FAILURE,
    "cancel": dg.DagsterRunStatus.CANCELED,
}
RUNNING, STOPPED = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED


def cleanup_after(end: str, status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"training_cleanup_after_{end}",
        run_status=status,
        monitored_jobs=[training_stage],
        request_jobs=[training_cleanup, training_features],
        default_status=RUNNING,
        description=f"Cleans up after a training that ended in {end}, and asks the models in use about what they do not know.",
    )
    def ended(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        run = context.dagster_run
        for job in (keys.CLEANUP_JOB, keys.FEATURES_JOB):
            yield dg.RunRequest(
                run_key=f"{job}:{run.run_id}", job_name=job, partition_key=run.tags[PARTITION_TAG]
            )

    return ended


after_success, after_failure, after_cancel = (cleanup_after(*end) for end in ENDS.items())


def notification_after(end: str, status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"training_notification_after_{end}",
        run_status=status,
        monitored_jobs=[training_stage],
        default_status=RUNNING if settings.text("ALERT_WEBHOOK_URL") else STOPPED,
        description=f"Sends what became of each model in a training that ended in {end}, with its metrics, to ALERT_WEBHOOK_URL.",
    )
    def ended(context: dg.RunStatusSensorContext, alerts: AlertsResource) -> dg.SkipReason | None:
        run = context.dagster_run
        message = training_runs.message(context.instance, run.run_id, run.tags.get(PARTITION_TAG, ""))
        if message is None:
            return dg.SkipReason("It ended before a model was judged. Failed runs: the sensor `alerts`.")
        if not alerts.send(message):
            context.log.warning("ALERT_WEBHOOK_URL is not set: nobody is told.")
        return None

    return ended


# one task's refusal fails the run: another one's promotion is told all the same
told_success, told_failure, told_cancel = (notification_after(*end) for end in ENDS.items())


@dg.run_status_sensor(
    name="training_with_other_parameters",
    run_status=dg.DagsterRunStatus.FAILURE,
    monitored_jobs=[training_stage],
    request_job=training_stage,
    default_status=STOPPED,
    description="Trains a model again after a search for better parameters when its gates said `retrain`; once for each fit.",
)
def train_again(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    run = context.dagster_run
    week, wanted = run.tags.get(PARTITION_TAG, ""), training_runs.to_retrain(context.instance, run.run_id)
    for task, fit in wanted.items():
        selection = [keys.MODELS[task], keys.EVALUATIONS[task], keys.REGISTERED[task]]
        yield dg.RunRequest(
            run_key=f"search:{task}:{fit}",
            partition_key=week,
            asset_selection=selection,
            run_config={"ops": {keys.MODELS[task].to_python_identifier(): {"config": {"search": True}}}},
        )
    if not wanted:
        yield dg.SkipReason("No model is to be trained again with other parameters.")
