"""Shards in two forms, one published revision, and the proof that what came out is what went in."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ai_stack_assets.defs.dataset.weeks import WEEKS, open_week
from ai_stack_assets.domain.dataset.publishing.validation import DESCRIPTIONS
from ai_stack_assets.orchestration import dataset, keys
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.resources.dataset import DatasetResource, HubResource
from ai_stack_assets.resources.lake import LakeResource

COMMON: dict[str, Any] = {"group_name": keys.DATASET, "owners": ["team:dataset"], "partitions_def": WEEKS}
Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]


def shards(key: dg.AssetKey, kind: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=[keys.SPLITS],
        description=description,
        kinds={kind},
        code_version="1",
        check_specs=[
            dg.AssetCheckSpec(
                "rows_are_all_there", asset=key, blocking=True, description="As many rows as the splits have."
            )
        ],
        **COMMON,
    )
    def made(
        context: dg.AssetExecutionContext, lake: LakeResource, dataset_settings: DatasetResource
    ) -> Results:
        with failures(context):
            week = open_week(context, lake, dataset_settings)
            made, splits = week.shards(kind), week.version("splits")
        wanted = {split: splits.rows(split) for split in ("train", "validation", "test")}
        written = {split: facts["rows"] for split, facts in made.facts["internal"].items()}
        yield dg.MaterializeResult(metadata=dataset.stage_metadata(made, "public"))
        yield dataset.check(key, "rows_are_all_there", written == wanted, written, wanted)

    return made


jsonl = shards(
    keys.JSONL,
    "jsonl",
    "One line is a record, UTF-8 JSON, in zstd files: `public` may be published, `internal` is all.",
)
parquet = shards(
    keys.PARQUET,
    "parquet",
    "One row is a record, in zstd Parquet files: `public` may be published, `internal` is all.",
)


@dg.asset(
    key=keys.PUBLISHED,
    deps=[keys.JSONL, keys.PARQUET, keys.FILTERED],
    kinds={"huggingface"},
    code_version="1",
    metadata=dataset.record_schema(),
    **COMMON,
)
def huggingface_dataset(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    dataset_settings: DatasetResource,
    hub: HubResource,
) -> dg.MaterializeResult:
    """One row is a published method: a revision of the dataset repository, tagged with its week.

    All files in one commit; an unchanged week makes none. A week older than the newest goes to a branch of its own.
    """
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        opened = hub.open(week.settings.name, is_private=week.settings.is_private)
        published, statistics = week.published(opened, context.log.info)
    return dg.MaterializeResult(metadata=dataset.published_metadata(published, statistics))


@dg.multi_asset_check(
    name="published_dataset",
    specs=[
        dg.AssetCheckSpec(name, asset=keys.PUBLISHED, description=said, partitions_def=WEEKS)
        for name, said in DESCRIPTIONS.items()
    ],
)
def published_dataset(
    context: dg.AssetCheckExecutionContext,
    lake: LakeResource,
    dataset_settings: DatasetResource,
    hub: HubResource,
) -> Iterator[dg.AssetCheckResult]:
    """Downloads the week's revision anew and compares it with what was exported."""
    with failures(context):
        week = open_week(context, lake, dataset_settings)
        found = week.validated(hub.open(week.settings.name))
    yield from dataset.findings(keys.PUBLISHED, found)
