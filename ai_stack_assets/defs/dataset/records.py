"""From what the sources gave to clean records in three splits: merged, deduplicated, filtered, split."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from ai_stack_assets.defs.dataset.weeks import WEEKS, open_week
from ai_stack_assets.domain.common import charts
from ai_stack_assets.domain.dataset import pictures
from ai_stack_assets.orchestration import dataset, keys
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.resources.dataset import DatasetResource
from ai_stack_assets.resources.lake import LakeResource

WARN = dg.AssetCheckSeverity.WARN
COMMON: dict[str, Any] = {
    "group_name": keys.DATASET,
    "kinds": {"parquet", "bsl"},
    "owners": ["team:dataset"],
    "partitions_def": WEEKS,
    "metadata": dataset.record_schema(),
}
QUALITY = "mean_quality_exceeds_threshold"
LEAKS = {
    "no_content_hash_crosses_splits": "No code is in two splits.",
    "no_cluster_crosses_splits": "No cluster of near-duplicates is in two splits.",
    "no_module_crosses_splits": "No file of a repository is in two splits.",
    "no_object_module_crosses_splits": "No module of a configuration's object is in two splits.",
    "no_group_crosses_splits": "No group of the looser closure is in two splits.",
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
    shown = {"Rows by source": pictures.by_source(made.facts["rows_in"], made.facts["kept"])}
    yield dg.MaterializeResult(
        metadata={**dataset.stage_metadata(made, "records", shown=shown), "sources": states}
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
    facts, sizes = made.facts, Counter(made.version.table("clusters", ["rows"])["rows"].to_pylist())
    shown = {
        "Clusters by size": pictures.cluster_sizes(sizes),
        "Removed by similarity": charts.table(
            ["similarity", "rows"], list(facts["removed_by_similarity"].items())
        ),
    }
    yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, "records", shown=shown))
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
            QUALITY,
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
        gate = week.quality(made)
    facts = made.facts
    shown = {
        "Rejected by reason": pictures.by_reason(facts["rejected"], facts["rows_in"]),
        "Redacted by kind": pictures.by_kind(facts["redactions"]),
        "Quality score": pictures.score_histogram(facts["score_histogram"], gate.actual, gate.threshold),
    }
    yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, "records", shown=shown))
    both = made.version.rows("records") + made.version.rows("rejected")
    yield dataset.check(keys.FILTERED, "rows_add_up", both == facts["rows_in"], both, facts["rows_in"])
    yield dataset.check(
        keys.FILTERED, QUALITY, gate.passed, gate.actual, gate.threshold, description=gate.description
    )


# weeks are split in order: each takes over what the one before has assigned
WEEK_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
)


@dg.asset(
    key=keys.SPLITS,
    deps=[keys.FILTERED, keys.DEDUPLICATED, dg.AssetDep(keys.SPLITS, partition_mapping=WEEK_BEFORE)],
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(name, asset=keys.SPLITS, blocking=True, description=said)
        for name, said in LEAKS.items()
    ],
    **COMMON,
)
def splits(
    context: dg.AssetExecutionContext, lake: LakeResource, dataset_settings: DatasetResource
) -> Results:
    """One row is a record of the train, validation or test split: tables of those names.

    Groups of what is alike are never divided; what an earlier week assigned stays where it is; `withheld` has what would leak.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        made = week.split()
        found = week.leaks(made)
    shown = {"Rows by split": pictures.split_sizes(made.facts["rows"])}
    yield dg.MaterializeResult(
        metadata=dataset.stage_metadata(made, "train", "validation", "test", shown=shown)
    )
    yield from dataset.leaks(keys.SPLITS, found)
