"""How far code has moved away from what the models in use have learned: the branch of the stage."""

import dagster as dg

from ai_stack_assets.defs.training.weeks import COMMON
from ai_stack_assets.orchestration import keys, training
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.training import TrainingResource


@dg.asset(
    key=keys.DRIFT,
    deps=[keys.FEATURES],
    kinds={"numpy"},
    **COMMON,
)
def drift(
    context: dg.AssetExecutionContext, training_settings: TrainingResource, mlflow: MlflowResource
) -> dg.MaterializeResult:
    """One report tells how far code has moved since each model in use was trained, and whether it is trained again for that.

    High: all that were trained then. Medium: not the embeddings. None: no model but those that there is none of yet.
    """
    with failures(context):
        made = training_settings.open(context.partition_key).drift(mlflow.open(), progress(context))
    return dg.MaterializeResult(metadata=training.drift(made))
