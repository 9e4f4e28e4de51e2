"""What a configuration was on each day of its past, from its git repository: one run does any range of months."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.onec.history.tables import HISTORY_TABLES
from ai_stack_assets.orchestration import keys, metadata
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.history import backfilled, wanted_periods
from ai_stack_assets.orchestration.partitions import history_periods
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
            # events are yielded period by period, so that what is done stays done whatever comes after
            skippable=True,
        )
        for name, table in HISTORY_TABLES.items()
    ],
    partitions_def=history_periods(*settings.history()),
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def history(
    context: dg.AssetExecutionContext, lake: LakeResource, configurations: ConfigurationsResource
) -> Iterator[dg.AssetMaterialization]:
    """Each period of the range, oldest first. One with a day that fails is left for a retry, and the run is red; the others
    are done."""
    from ai_stack_assets.domain.onec.history.backfill import History

    failed: list[str] = []
    zone = ZoneInfo(settings.time_zone())
    with failures(context):
        for name, periods in wanted_periods(context).items():
            entry = configurations.entry(name)
            kept = lake.open(f"history/{name}")
            with History(entry.location, kept, lake.cache, zone, path=entry.path) as past:
                yield from backfilled(context, name, past, periods, failed)
    if failed:
        raise dg.Failure(f"{len(failed)} days failed: {'; '.join(failed[:5])}", allow_retries=False)
