"""The embeddings in use, which vectors are made by: observed in the registry, so that it does not matter who chose them."""

from collections.abc import Iterator

import dagster as dg

from ai_stack_assets.orchestration import champion, keys
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.resources.mlflow import MlflowResource


# observed and not made: there is none before the first training, and no load of a configuration has to wait for it
@dg.multi_observable_source_asset(
    name=keys.CHAMPION.to_python_identifier(),
    specs=[
        dg.AssetSpec(
            keys.CHAMPION,
            deps=[keys.REGISTERED[champion.TASK]],
            description="One version is the model that MLflow's alias `champion` of the embeddings leads to.\n\n"
            "Another one, newer or rolled back to, makes the vectors of every configuration anew.",
            group_name=keys.TRAINING,
            owners=["team:models"],
            kinds={"mlflow"},
            skippable=True,
        )
    ],
)
def embeddings_champion(context: dg.OpExecutionContext, mlflow: MlflowResource) -> Iterator[dg.ObserveResult]:
    with failures(context):
        found = mlflow.champion(champion.TASK)
    if found is None and champion.last_observed(context.instance) == champion.NONE:
        context.log.info("No model is in use yet: vectors are made by what is fitted on each configuration.")
        return
    yield dg.ObserveResult(
        asset_key=keys.CHAMPION,
        data_version=dg.DataVersion(champion.data_version(found)),
        metadata=champion.metadata(found),
    )


@dg.sensor(
    name="embeddings_champion",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks which embeddings are in use, in case somebody moved the alias; another one makes the vectors anew.",
)
def champion_moved(
    context: dg.SensorEvaluationContext, mlflow: MlflowResource
) -> dg.SensorResult | dg.SkipReason:
    found = mlflow.champion(champion.TASK)
    now, before = champion.data_version(found), champion.last_observed(context.instance)
    if now == before:
        return dg.SkipReason(f"As before: {f'version {found.version}' if found else 'no model'} is in use.")
    return dg.SensorResult(asset_events=[champion.observed(found)])
