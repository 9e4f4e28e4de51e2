"""The models in use: asked about new methods; and what nobody needs any more, removed."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.defs.training.weeks import COMMON
from ai_stack_assets.orchestration import keys, training_use
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.training import TrainingResource


@dg.asset(
    key=keys.INFERENCE,
    deps=[keys.FEATURES, *keys.REGISTERED.values()],
    kinds={"parquet"},
    output_required=False,
    **COMMON,
)
def inference(
    context: dg.AssetExecutionContext,
    training_settings: TrainingResource,
    mlflow: MlflowResource,
) -> Iterator[dg.MaterializeResult]:
    """One row is a method of a configuration with what a model in use says of it: tags, expectations, risk, a vector.

    A table per model. Only methods that are new or changed, or of whom another champion is in use, are asked about.
    """
    with failures(context):
        week = training_settings.open(context.partition_key)
        made = week.inferred(mlflow.open(), progress(context))
    if made:
        yield dg.MaterializeResult(metadata=training_use.inference(made))
    else:
        context.log.info(
            "No model is in use yet, or no configuration has features: nothing to ask, nothing to ask about."
        )


@dg.asset(key=keys.CLEANUP, kinds={"mlflow"}, check_specs=training_use.cleanup_checks(keys.CLEANUP), **COMMON)
def cleanup(
    context: dg.AssetExecutionContext,
    training_settings: TrainingResource,
    mlflow: MlflowResource,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """One entry is something that was removed: a temporary file, a stale checkpoint, an old week, an old run.

    Nothing of a model in use. Stands alone, so that it runs whatever became of a training.
    """
    with failures(context):
        cleaned = training_settings.open(context.partition_key).cleaned(mlflow.open())
    yield dg.MaterializeResult(metadata=training_use.cleaned(cleaned))
    yield training_use.all_cleaned(keys.CLEANUP, cleaned)
