"""What people do with MLflow by hand, as ops: log metrics, move an alias, load a model and check its signature.

`ModelJob` makes a job of some of them. With assets none of this is needed: `defs/training` does it on the way.
"""

from typing import Any, Literal

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry.aliases import CHAMPION, Registered, by_alias, by_version
from ai_stack_assets.orchestration.failures import failures

MLFLOW = "mlflow"
AFTER = {"after": dg.In(dg.Nothing)}
"""What each op may wait for."""


class LogMetricsConfig(dg.Config):
    run_id: str = Field(default="", description="Of MLflow; empty: a run is made and ended")
    experiment: str = Field(default="Default", description="Of a run that is made; made on first use")
    metrics: dict[str, float]
    step: int = 0


class ModelVersionConfig(dg.Config):
    registered_model: str = Field(description="Name in the registry, with its prefix")
    version: int = Field(default=0, description="0: the one under `alias`")
    alias: str = CHAMPION


class TransitionConfig(dg.Config):
    registered_model: str = Field(description="Name in the registry, with its prefix")
    version: int
    alias: str = CHAMPION
    reason: str = Field(default="", description="Kept with the decision")


class SignatureConfig(ModelVersionConfig):
    inputs: list[str] = Field(default=[], description="Columns that it has to take")
    outputs: list[str] = Field(default=[], description="Columns that it has to give")


@dg.op(ins=AFTER, required_resource_keys={MLFLOW}, out=dg.Out(str, description="Id of the run"))
def log_metrics(context: dg.OpExecutionContext, config: LogMetricsConfig) -> str:
    """Metrics of a run of MLflow, all of them in one request."""
    from mlflow.entities import Metric, RunStatus

    tracking = _registry(context).tracking
    with failures(context), tracking.open() as client:
        run_id = (
            config.run_id or client.create_run(tracking.experiment(client, config.experiment)).info.run_id
        )
        moment = int(client.get_run(run_id).info.start_time)
        metrics = [Metric(name, value, moment, config.step) for name, value in config.metrics.items()]
        client.log_batch(run_id, metrics=metrics)
        if not config.run_id:
            client.set_terminated(run_id, RunStatus.to_string(RunStatus.FINISHED))
    context.add_output_metadata({"run_id": run_id, **config.metrics})
    return run_id


@dg.op(
    ins=AFTER,
    required_resource_keys={MLFLOW},
    out=dg.Out(str, description="Version that had the alias before; empty: none"),
)
def transition_alias(context: dg.OpExecutionContext, config: TransitionConfig) -> str:
    """Moves an alias to a version: what stages were before MLflow 2.9.

    A champion of this platform is loaded first, and the decision recorded; one that does not load stays what it is.
    """
    with failures(context):
        registry = _registry(context)
        before = _found(registry, config.registered_model, 0, config.alias)
        registered = _required(registry, config.registered_model, config.version, "")
        task = config.registered_model.removeprefix(registry.name(""))
        if config.alias == CHAMPION and registry.name(task) == registered.model:
            registry.promote(
                task, registered.version, reason=config.reason, by=f"Dagster run {context.run_id}"
            )
        else:
            with registry.tracking.open() as client:
                client.set_registered_model_alias(registered.model, config.alias, registered.version)
    was = before.version if before else ""
    context.add_output_metadata({"alias": config.alias, "version": registered.version, "before": was})
    return was


@dg.op(ins=AFTER, required_resource_keys={MLFLOW}, out=dg.Out(str, description="`models:/name/version`"))
def validate_model(context: dg.OpExecutionContext, config: SignatureConfig) -> str:
    """Loads a model in a process of its own, asks it its input example and compares what it answers with its signature."""
    from mlflow.models import Model

    with failures(context):
        registry = _registry(context)
        registered = _required(registry, config.registered_model, config.version, config.alias)
        signature = Model.load(str(registry.files(registered))).signature
        if signature is None:
            raise PermanentError(f"{registered.uri} has no signature")
        for side, wanted in (("inputs", config.inputs), ("outputs", config.outputs)):
            schema = getattr(signature, side)
            names = schema.input_names() if schema else []
            if missing := sorted(set(wanted) - set(names)):
                raise PermanentError(
                    f"{registered.uri}: {missing[0]!r} is not among its {side}: {', '.join(map(str, names))}"
                )
        registry.verify(registered)
    context.add_output_metadata(
        {"model": registered.uri, "signature": dg.JsonMetadataValue(signature.to_dict())}
    )
    return registered.uri


OPS = {"log_metrics": log_metrics, "transition_alias": transition_alias, "validate_model": validate_model}


class Operation(dg.Model, dg.Resolvable):
    """One op with its configuration."""

    op: Literal["log_metrics", "transition_alias", "validate_model"]
    config: dict[str, Any]


class ModelJob(dg.Component, dg.Model, dg.Resolvable):
    """A job of operations on models, one after another: the next one runs when the one before has succeeded."""

    name: str
    description: str
    operations: list[Operation]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(jobs=[self.job()])

    def job(self) -> dg.JobDefinition:
        steps = {f"step_{n}_{each.op}": each for n, each in enumerate(self.operations, 1)}
        given = {name: {"config": each.config} for name, each in steps.items()}

        @dg.job(name=self.name, description=self.description, config={"ops": given})
        def operations() -> None:
            done: dict[str, Any] = {}
            for name, each in steps.items():
                done = {"after": OPS[each.op].alias(name)(**done)}

        return operations


def _registry(context: dg.OpExecutionContext) -> Any:
    return getattr(context.resources, MLFLOW).open()


def _found(registry: Any, model: str, version: int, alias: str) -> Registered | None:
    """By its version when one is given, else by the alias."""
    with registry.tracking.open() as client:
        return by_version(client, model, str(version)) if version else by_alias(client, model, alias)


def _required(registry: Any, model: str, version: int, alias: str) -> Registered:
    if found := _found(registry, model, version, alias):
        return found
    raise PermanentError(f"{model} has no {f'version {version}' if version else alias}")
