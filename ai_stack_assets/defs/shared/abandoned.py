"""Ends runs whose process was killed, so that they do not block the queue."""

import dagster as dg

from ai_stack_assets.orchestration.abandoned import end_abandoned_runs


@dg.sensor(
    name="abandoned_runs",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs of the command line as failed when their process is gone.",
)
def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    ended = end_abandoned_runs(context.instance)
    return dg.SkipReason(f"Ended {', '.join(ended)}." if ended else "Every unfinished run has its process.")
