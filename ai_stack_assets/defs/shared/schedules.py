"""When configurations are read again: a schedule for those without a cron of their own, one per other cron"""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.shared.jobs import onec_pipeline
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG
from ai_stack_assets.resources.configurations import ConfigurationsResource

EVERY_6_HOURS = "0 */6 * * *"
BUSY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dg.definitions
def schedules() -> dg.Definitions:
    """The crons are read when the location loads; which configurations are due, at each tick."""
    try:
        entries = ConfigurationsResource(file=str(settings.configurations_file())).entries().values()
    except PermanentError:
        # the sensor's tick shows what is wrong with the file; it must not take the whole location down
        entries = []
    crons = dict.fromkeys([EVERY_6_HOURS, *(entry.schedule for entry in entries if entry.schedule)])
    return dg.Definitions(schedules=[schedule(cron) for cron in crons])


def schedule(cron: str) -> dg.ScheduleDefinition:
    name = "every_6_hours" if cron == EVERY_6_HOURS else f"cron_{_identifier(cron)}"

    @dg.schedule(
        name=name,
        job=onec_pipeline,
        cron_schedule=cron,
        execution_timezone=settings.time_zone(),
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Reads the configurations whose schedule is `{cron}` again, each in a run of its own.",
    )
    def due(
        context: dg.ScheduleEvaluationContext, configurations: ConfigurationsResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        entries = configurations.entries().items()
        names = [n for n, e in entries if e.enabled and (e.schedule or EVERY_6_HOURS) == cron]
        known = set(context.instance.get_dynamic_partitions(CONFIGURATION))
        free = [name for name in names if name in known and not _is_busy(context.instance, name)]
        for configuration in free:
            yield dg.RunRequest(
                run_key=f"{configuration}@{context.scheduled_execution_time.isoformat()}",
                partition_key=configuration,
            )
        if not free:
            yield dg.SkipReason("No configuration is due, or all that are due are being read now.")

    return due


def _is_busy(instance: dg.DagsterInstance, configuration: str) -> bool:
    """A run that is late must not make the next ones pile up behind it."""
    tags = {PARTITION_TAG: configuration}
    return bool(instance.get_runs(dg.RunsFilter(tags=tags, statuses=BUSY), limit=1))


def _identifier(cron: str) -> str:
    words = {"*": "any", "/": "_per_", ",": "_and_", "-": "_to_", " ": "_", "@": ""}
    return "".join(words.get(letter, letter) for letter in cron)
