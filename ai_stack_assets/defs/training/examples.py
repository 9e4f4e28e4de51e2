"""From the dataset to what models learn from: features, and the examples of each task in the dataset's splits."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.training.weeks import COMMON, OF_SPEC, OF_STEP
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.orchestration import keys, training
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.training import TrainingResource

ALL = dg.AllPartitionMapping()
METHODS = dg.AssetDep(keys.lake("methods"), partition_mapping=ALL)
LABELS = dg.AssetDep(keys.lake("references"), partition_mapping=ALL)
HISTORY = [dg.AssetDep(key, partition_mapping=ALL) for key in keys.HISTORY_KEYS.values()]
Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetObservation]


@dg.asset(
    key=keys.FEATURES,
    deps=[keys.SPLITS, METHODS],
    kinds={"parquet", "bsl"},
    **COMMON,
)
def features(context: dg.AssetExecutionContext, training_settings: TrainingResource) -> dg.MaterializeResult:
    """One row is a method with everything that models may know of it: terms, sizes, complexity, place.

    Of the week's dataset and of every configuration as it is now. Only methods that are new or changed are computed.
    """
    with failures(context):
        made = training_settings.open(context.partition_key).features(progress(context))
    return dg.MaterializeResult(metadata=training.features(made))


def examples_asset(task: str) -> dg.AssetsDefinition:
    key = keys.EXAMPLES[task]
    split = (
        "in a split by time.\n\nEvery state that is trained on is older than those that are tested on"
        if task == tasks.BY_TIME
        else "in the split that the dataset stage gave its method.\n\nNo family of modules is both in train and in validation or"
        " test: it is withheld on the side where fewer rows are lost"
    )

    spec = dg.AssetSpec(
        key,
        deps=[keys.FEATURES, keys.SPLITS, LABELS, *(HISTORY if task == tasks.BY_TIME else [])],
        description=f"One row is an example of the task `{task}`, {split}.",
        kinds={"parquet"},
        skippable=True,
        **OF_SPEC,
    )

    # checks of an asset that may be left out must not be asked for: that is what `can_subset` says
    @dg.multi_asset(
        name=key.to_python_identifier(),
        specs=[spec],
        check_specs=training.example_checks(task),
        can_subset=True,
        **OF_STEP,
    )
    def examples(context: dg.AssetExecutionContext, training_settings: TrainingResource) -> Results:
        with failures(context):
            week = training_settings.open(context.partition_key)
            if reason := week.why_not(task):
                context.log.info(f"{task} has no examples: {reason}")
                yield training.left_out(key, reason, context.partition_key)
                return
            made = week.examples(task)
            proved = week.proved(task)
        yield dg.MaterializeResult(asset_key=key, metadata=training.examples(made))
        yield from training.leaks(task, proved.leaks)
        yield training.quality(key, proved.quality)

    return examples


embeddings, classifier, regressor, change_risk = (examples_asset(task) for task in tasks.NAMES)
