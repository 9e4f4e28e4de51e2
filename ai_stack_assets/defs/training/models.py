"""A model of each task: fitted in a process of its own, judged on what it has not seen, and put to use if it is better."""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.training.weeks import COMMON
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.orchestration import champion, keys, pods, training
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.progress import progress
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.training import TrainingResource

Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]


class FitConfig(dg.Config):
    """Options of one run."""

    force: bool = Field(
        default=False, description="Train whatever the drift says; a damaged model is fitted again"
    )
    search: bool = Field(
        default=False, description="Search for better parameters first, as long as training.yaml allows"
    )


def fit_tags(task: str) -> dict[str, Any]:
    """How many fits run at once goes by the first; what a fit's pod is given, by the others, when steps run in pods."""
    tags: dict[str, Any] = {keys.FIT_TAG: task}
    if settings.text("AI_STACK_ASSETS_EXECUTOR"):
        from ai_stack_assets.domain.training.settings import load

        # a file that is wrong must not take the whole location down: each step says what is wrong with it
        with contextlib.suppress(PermanentError):
            tags |= pods.tags(pods.of(load(settings.training_file()).task(task).pod))
    return tags


def model_asset(task: str) -> dg.AssetsDefinition:
    key = keys.MODELS[task]

    @dg.asset(
        key=key,
        deps=[keys.EXAMPLES[task], keys.DRIFT],
        description=f"One version is a fitted model of the task `{task}`, as plain files.\n\n"
        "Made when the drift of the data asks for it, or when no model is in use yet; the same examples, parameters and seed "
        "give the same version.",
        kinds={"python"},
        op_tags=fit_tags(task),
        output_required=False,
        **COMMON,
    )
    def model(
        context: dg.AssetExecutionContext, config: FitConfig, training_settings: TrainingResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
        with failures(context):
            week = training_settings.open(context.partition_key)
            choice = week.choice(task)
            if not (choice.is_trained or config.force or config.search):
                context.log.info(f"{task} is not trained: {choice.reason}")
                yield training.left_out(key, choice.reason, context.partition_key)
                return
            made = week.model(task, search=config.search, force=config.force, say=progress(context))
        yield dg.MaterializeResult(metadata=training.model(made, choice))

    return model


def evaluation_asset(task: str) -> dg.AssetsDefinition:
    key = keys.EVALUATIONS[task]

    @dg.asset(
        key=key,
        deps=[keys.MODELS[task], keys.EXAMPLES[task]],
        description=f"One version tells how good a model of the task `{task}` is on the test set, and what becomes of it.\n\n"
        "Beside the model in use and the baselines, measured on the same examples.",
        kinds={"mlflow"},
        check_specs=training.gate_checks(key),
        **COMMON,
    )
    def evaluation(
        context: dg.AssetExecutionContext,
        training_settings: TrainingResource,
        mlflow: MlflowResource,
    ) -> Results:
        with failures(context):
            week = training_settings.open(context.partition_key)
            made = week.evaluation(task, mlflow.open(), progress(context))
        yield dg.MaterializeResult(metadata=training.evaluation(made))
        yield from training.gates(key, made)

    return evaluation


def registered_asset(task: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys.REGISTERED[task],
        deps=[keys.EVALUATIONS[task]],
        description=f"One version of the registered model `{task}`: the champion is the one in use, a challenger waits.\n\n"
        "Only a model that every gate lets through becomes champion; else the one before stays.",
        kinds={"mlflow", "postgres"},
        **COMMON,
    )
    def registered(
        context: dg.AssetExecutionContext,
        training_settings: TrainingResource,
        mlflow: MlflowResource,
    ) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
        with failures(context):
            week, registry = training_settings.open(context.partition_key), mlflow.open()
            row, made = week.registered(task, registry)
            in_use = registry.champion(task)
        yield dg.MaterializeResult(metadata=training.registered(row, made, in_use))
        if task == champion.TASK:
            yield champion.observed(in_use)

    return registered


embeddings_model, classifier_model, regressor_model, change_risk_model = map(model_asset, tasks.NAMES)
embeddings_evaluation, classifier_evaluation, regressor_evaluation, change_risk_evaluation = map(
    evaluation_asset, tasks.NAMES
)
embeddings, classifier, regressor, change_risk = map(registered_asset, tasks.NAMES)
