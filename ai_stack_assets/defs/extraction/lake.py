"""The eight lake tables of a configuration, from one pass over its source, and the gates that hold them."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.orchestration import checks, keys, metadata
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource


@dg.multi_asset(
    name=keys.EXTRACT,
    specs=[
        dg.AssetSpec(
            keys.lake(name),
            description=table.description,
            group_name=keys.EXTRACTION,
            kinds={"parquet"},
            owners=["team:onec"],
            code_version="1",
            metadata=metadata.table_definition(table),
        )
        for name, table in TABLES.items()
    ],
    check_specs=checks.gate_specs(),
    partitions_def=CONFIGURATIONS,
    pool=keys.EXTRACTION,
)
def extract_tables(
    context: dg.AssetExecutionContext, lake: LakeResource, configurations: ConfigurationsResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Reads what changed since the last version (or what the configuration is pinned to), publishes a new one, and judges it
    against the gates: one that they stop does not stay current when there is a version before it."""
    from ai_stack_assets.domain.onec.checks import evaluate, stops
    from ai_stack_assets.domain.onec.pins import extract_entry

    with failures(context):
        entry = configurations.entry(context.partition_key)
        report = extract_entry(entry, lake.open(), lake.cache, progress(context))
        findings = evaluate(report.version, report.previous)
        if report.previous and stops(findings):
            lake.open().switch(report.previous)
    for name in TABLES:
        yield dg.MaterializeResult(asset_key=keys.lake(name), metadata=metadata.lake_table(report, name))
    yield from checks.gates(findings)
