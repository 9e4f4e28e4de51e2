"""`configurations.yaml` becomes partitions: a new one gets a first run, a retired one keeps its data."""

import dagster as dg

from ai_stack_assets.defs.shared.jobs import onec_pipeline
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION, CONFIGURATIONS
from ai_stack_assets.resources.configurations import ConfigurationsResource


@dg.sensor(
    name="configurations",
    job=onec_pipeline,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds and retires partitions when configurations.yaml changes; runs a new one once.",
)
def configurations_changed(
    context: dg.SensorEvaluationContext, configurations: ConfigurationsResource
) -> dg.SensorResult | dg.SkipReason:
    digest = configurations.digest()
    if not digest:
        return dg.SkipReason(f"There is no {configurations.file}: nothing is added, nothing is retired.")
    if digest == context.cursor:
        return dg.SkipReason("configurations.yaml has not changed.")
    listed = [name for name, entry in configurations.entries().items() if entry.enabled]
    known = set(context.instance.get_dynamic_partitions(CONFIGURATION))
    new, retired = [name for name in listed if name not in known], sorted(known - set(listed))
    for name in retired:
        context.log.warning(
            f"{name} is retired: no more runs. Its lake tables and its rows in the stores are kept."
        )
    _let_pools_be_known(context.instance)
    changes = [
        *([CONFIGURATIONS.build_add_request(new)] if new else []),
        *([CONFIGURATIONS.build_delete_request(retired)] if retired else []),
    ]
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{name}:{digest}", partition_key=name) for name in new],
        dynamic_partitions_requests=changes,
        cursor=digest,
    )


def _let_pools_be_known(instance: dg.DagsterInstance) -> None:
    """With their default limit. Dagster does this in the pass of the queue that first meets a pool, and does not yet apply
    the limit in that pass: all configurations of a new instance would start at once."""
    for pool in keys.POOLS:
        instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
