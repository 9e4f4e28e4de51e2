"""From what the sources gave to clean records in three splits: merged, deduplicated, filtered, split."""

import sys
from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.dataset.weeks import WEEKS, open_week
from ai_stack_assets.domain.common import charts
from ai_stack_assets.orchestration import dataset, keys
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.resources.dataset import DatasetResource
from ai_stack_assets.resources.lake import LakeResource

WARN = dg.AssetCheckSeverity.WARN
COMMON = {
    "group_name": keys.DATASET,
    "kinds": {"parquet", "bsl"},
    "owners": ["team:dataset"],
    "partitions_def": WEEKS,
    "metadata": dataset.record_schema(),
}
Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]


@dg.asset(
    key=keys.MERGED,
    deps=list(keys.DATASET_SOURCES.values()),
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            "every_source_answered", asset=keys.MERGED, description="No source failed this week."
        ),
        dg.AssetCheckSpec("ids_are_unique", asset=keys.MERGED, blocking=True, description="One row per id."),
    ],
    **COMMON,
)
def merged(
    context: dg.AssetExecutionContext, lake: LakeResource, dataset_settings: DatasetResource
) -> Results:
    """One row is a distinct piece of code, whichever sources it came from; all its places are kept.

    Equal when only whitespace differs. Made from the sources that answered.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        made, states = week.merged(), week.source_states()
    failed = [f"{name} {state}" for name, state in states.items() if state.startswith("failed")]
    repeated = made.facts["repeated_ids"]
    pictures = {"Rows by source": charts.bars(made.facts["rows_in"], "Rows by source")}
    yield dg.MaterializeResult(
        metadata={**dataset.stage_metadata(made, pictures=pictures), "sources": states}
    )
    yield dataset.check(
        keys.MERGED, "every_source_answered", not failed, len(failed), 0, failed, WARN, "; ".join(failed)
    )
    yield dataset.check(
        keys.MERGED, "ids_are_unique", not repeated["count"], repeated["count"], 0, repeated["sample"]
    )


@dg.asset(
    key=keys.DEDUPLICATED,
    deps=[keys.MERGED],
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            "rows_add_up",
            asset=keys.DEDUPLICATED,
            blocking=True,
            description="Each row is kept or removed, once.",
        )
    ],
    **COMMON,
)
def deduplicated(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    dataset_settings: DatasetResource,
    ray_pipes: dg.PipesSubprocessClient,
) -> Results:
    """One row is a method without near-duplicates: no other row has a Jaccard index of token 5-grams of 0.8 or more with it.

    Every removal was verified exactly; `removed` tells in favour of whom and how alike, `clusters` what belongs together.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        address = ["--address", dataset_settings.ray_address] if dataset_settings.ray_address else []
        made = week.deduplicated(lambda *arguments: _on_ray(context, ray_pipes, *address, *arguments))
    facts = made.facts
    pictures = {
        "Clusters by size": charts.columns(facts["clusters_by_size"], "Clusters by size"),
        "Removed by similarity": charts.columns(facts["removed_by_similarity"], "Removed by similarity"),
    }
    yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, pictures=pictures))
    kept, gone = made.version.rows("records"), made.version.rows("removed")
    yield dataset.check(
        keys.DEDUPLICATED, "rows_add_up", kept + gone == facts["rows_in"], kept + gone, facts["rows_in"]
    )


def _on_ray(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, *arguments: str) -> None:
    """In a process of its own, which may be on another machine: what it says comes back as this step's log."""
    command = [sys.executable, "-m", "ai_stack_assets.domain.dataset.dedupe.ray_job", *arguments]
    pipes.run(context=context.op_execution_context, command=command)


@dg.asset(
    key=keys.FILTERED,
    deps=[keys.DEDUPLICATED],
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            "rows_add_up",
            asset=keys.FILTERED,
            blocking=True,
            description="Each row is kept or rejected with a reason.",
        ),
        dg.AssetCheckSpec(
            "quality_is_high",
            asset=keys.FILTERED,
            blocking=True,
            description="The mean quality score of the rows that may be published exceeds the least one (dataset.yaml).",
        ),
    ],
    **COMMON,
)
def filtered(
    context: dg.AssetExecutionContext, lake: LakeResource, dataset_settings: DatasetResource
) -> Results:
    """One row is a method worth publishing, with a quality score, and without secrets and personal data.

    `rejected` keeps what was left out with its reason; `redactions` tells what was replaced where, never what it was.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        made = week.filtered()
    facts, least = made.facts, week.settings.quality.least_mean_score
    pictures = {
        "Rejected by reason": charts.bars(facts["rejected"], "Rejected by reason"),
        "Redacted by kind": charts.bars(facts["redactions"], "Redacted by kind"),
        "Quality score": charts.columns(
            dataset.histogram(facts["score_histogram"]), "Quality score", every=4
        ),
    }
    yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, pictures=pictures))
    both = made.version.rows("records") + made.version.rows("rejected")
    yield dataset.check(keys.FILTERED, "rows_add_up", both == facts["rows_in"], both, facts["rows_in"])
    mean = facts["mean_score_publishable"]
    yield dataset.check(
        keys.FILTERED, "quality_is_high", mean is None or mean > least, mean, least,
        description="No row may be published." if mean is None else "",
    )  # fmt: skip


# weeks are split in order: each takes over what the one before has assigned
WEEK_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
)


@dg.asset(
    key=keys.SPLITS,
    deps=[keys.FILTERED, keys.DEDUPLICATED, dg.AssetDep(keys.SPLITS, partition_mapping=WEEK_BEFORE)],
    code_version="1",
    **COMMON,
)
def splits(
    context: dg.AssetExecutionContext, lake: LakeResource, dataset_settings: DatasetResource
) -> Results:
    """One row is a record of the train, validation or test split: tables of those names.

    Groups of what is alike are never divided; what an earlier week assigned stays where it is.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        made = week.split()
    pictures = {"Rows by split": charts.bars(made.facts["rows"], "Rows by split")}
    yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, "train", pictures))
