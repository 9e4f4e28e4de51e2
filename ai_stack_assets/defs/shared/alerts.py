"""Tells people that a run failed: which, of what, at which step, and why. ALERT_WEBHOOK_URL says where."""

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration.partitions import PARTITION_TAG
from ai_stack_assets.resources.alerts import AlertsResource

_WATCHED = (
    dg.DefaultSensorStatus.RUNNING if settings.text("ALERT_WEBHOOK_URL") else dg.DefaultSensorStatus.STOPPED
)
_MOST_STEPS = 5


@dg.run_failure_sensor(
    name="alerts",
    default_status=_WATCHED,
    description="Sends a message for every failed run, a gate that stopped one included, to ALERT_WEBHOOK_URL.",
)
def run_failed(context: dg.RunFailureSensorContext, alerts: AlertsResource) -> None:
    run = context.dagster_run
    steps = [(event.step_key, _reason(event)) for event in context.get_step_failure_events()][:_MOST_STEPS]
    lines = [f"- {step}: {reason}" for step, reason in steps] or [f"- {context.failure_event.message}"]
    what = f"{run.job_name} {run.tags.get(PARTITION_TAG, '')}".strip()
    if not alerts.send("\n".join([f"{what} failed (run {run.run_id})", *lines])):
        context.log.warning("ALERT_WEBHOOK_URL is not set: nobody is told.")


def _reason(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    return error.message.strip().splitlines()[-1] if error else event.message or ""
