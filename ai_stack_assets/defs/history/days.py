"""What a configuration was on each day of its past, from its git repository: one run does any range of days."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.onec.history.tables import HISTORY_TABLES
from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.history import events, said
from ai_stack_assets.orchestration.partitions import CONFIGURATION, DAY, history_days
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource


@dg.multi_asset(
    name=keys.HISTORY,
    specs=[
        dg.AssetSpec(
            keys.HISTORY_KEYS[name],
            description=table.description,
            group_name=keys.HISTORY,
            kinds={"parquet", "git"},
            owners=["team:onec"],
            code_version="1",
            metadata={"dagster/column_schema": metadata.table_schema(table)},
            # events are recorded day by day, so that what is done stays done whatever comes after
            skippable=True,
        )
        for name, table in HISTORY_TABLES.items()
    ],
    partitions_def=history_days(settings.first_day_of_history(), settings.time_zone()),
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def history(
    context: dg.AssetExecutionContext, lake: LakeResource, configurations: ConfigurationsResource
) -> Iterator[dg.AssetMaterialization]:
    """Each day of the range, oldest first. One that fails is left for a retry, and the run is red; the others are done."""
    from ai_stack_assets.domain.onec.history.backfill import FAILED, History

    wanted: dict[str, list[date]] = defaultdict(list)
    for key in context.partition_keys:
        wanted[key.keys_by_dimension[CONFIGURATION]].append(date.fromisoformat(key.keys_by_dimension[DAY]))
    failed = []
    for name, days in wanted.items():
        with failures(context):
            entry, zone = configurations.entry(name), ZoneInfo(settings.time_zone())
            past = History(entry.location, lake.open(f"history/{name}"), lake.cache, zone, path=entry.path)
            for day in past.days(days):
                if line := said(name, day):
                    context.log.info(line)
                if day.status == FAILED:
                    failed.append(f"{name} {day.day}: {day.error}")
                else:
                    yield from events(
                        name, past, day, context.selected_asset_keys, is_last=day.day == max(days)
                    )
    if failed:
        raise dg.Failure(f"{len(failed)} days failed: {'; '.join(failed[:5])}", allow_retries=False)
