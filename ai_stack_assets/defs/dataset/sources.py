"""The three sources of the dataset: asked at the same time, each failing alone."""

from collections.abc import Iterator
from inspect import cleandoc

import dagster as dg
from pydantic import Field

from ai_stack_assets.defs.dataset.weeks import WEEKS
from ai_stack_assets.orchestration import dataset, keys
from ai_stack_assets.orchestration.failures import MAX_RETRIES, failures
from ai_stack_assets.orchestration.partitions import is_over
from ai_stack_assets.resources.dataset import DatasetSourcesResource
from ai_stack_assets.resources.lake import LakeResource

ANSWERED = "source_answered"
ALL_CONFIGURATIONS = dg.AssetDep(keys.POSTGRES_TABLES, partition_mapping=dg.AllPartitionMapping())

DESCRIPTIONS = {
    "postgres": """One row is a method that the stores stage keeps in PostgreSQL.

    Stays inside unless dataset.yaml says otherwise.""",
    "github": "One row is a method of a git repository, on GitHub or elsewhere, with its commit and licence.",
    "its": """One row is a code sample of ITS, the 1C knowledge base, with its article's title and text.

    Off until ITS_USER and ITS_PASSWORD are set.""",
}


class SourceConfig(dg.Config):
    """Options of one run."""

    read_again: bool = Field(
        default=False, description="Read a past week's source as it is now, not from the week's snapshot"
    )


def source_asset(name: str, kinds: set[str]) -> dg.AssetsDefinition:
    key = keys.DATASET_SOURCES[name]

    @dg.asset(
        key=key,
        deps=[ALL_CONFIGURATIONS] if name == "postgres" else [],
        description=cleandoc(DESCRIPTIONS[name]),
        group_name=keys.DATASET,
        kinds=kinds,
        owners=["team:dataset"],
        code_version="1",
        partitions_def=WEEKS,
        metadata=dataset.record_schema(),
        check_specs=[
            dg.AssetCheckSpec(
                ANSWERED, asset=key, description="The source was asked and answered in full, or is off."
            )
        ],
    )
    def source(
        context: dg.AssetExecutionContext,
        config: SourceConfig,
        lake: LakeResource,
        dataset_sources: DatasetSourcesResource,
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        from ai_stack_assets.domain.dataset.sources.collect import FAILED, collect

        week = context.partition_key
        with failures(context):
            outcome = collect(
                dataset_sources.open(name),
                lake.open(f"dataset/{key.path[-1]}"),
                week,
                is_past=is_over(WEEKS, week) and not config.read_again,
                may_fail=context.op_execution_context.retry_number >= MAX_RETRIES,
            )
        context.log.info(f"{name}: {outcome.state}, {outcome.rows} rows {outcome.reason}")
        yield dg.MaterializeResult(metadata=dataset.source_metadata(outcome))
        yield dataset.check(
            key, ANSWERED, outcome.state != FAILED and not outcome.missed, outcome.state, "any but failed, nothing missed",
            outcome.report.rejected if outcome.missed else [], dg.AssetCheckSeverity.WARN, outcome.told,
        )  # fmt: skip

    return source


postgres_methods = source_asset("postgres", {"postgres", "bsl"})
github_files = source_asset("github", {"github", "bsl"})
its_articles = source_asset("its", {"html", "bsl"})
