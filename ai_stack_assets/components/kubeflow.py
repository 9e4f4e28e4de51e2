"""`KubeflowPipeline`: an asset that is made by a run of Kubeflow Pipelines. One more is a `defs.yaml`."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.kubeflow import PipelineRun
from ai_stack_assets.domain.training.pipeline_ir import Step, compiled
from ai_stack_assets.orchestration.failures import failures
from ai_stack_assets.orchestration.progress import progress

RESOURCE = "kubeflow"


class PipelineStep(dg.Model, dg.Resolvable):
    """One container; `${name}` in its arguments is the parameter of that name."""

    name: str = Field(description="Of a-z, 0-9 and -")
    image: str
    command: list[str] = Field(default=[])
    args: list[str] = Field(default=[])
    after: list[str] = Field(default=[], description="Steps that have to succeed first")
    env: dict[str, str] = Field(default={}, description="Nothing secret: it is readable in Kubeflow")
    cpu: str = Field(default="", description="Limit", examples=["2", "500m"])
    memory: str = Field(default="", description="Limit", examples=["4G", "512Mi"])
    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"
    retries: int = 0


class PipelineConfig(dg.Config):
    """Options of one run."""

    parameters: dict[str, Any] = Field(default={}, description="Instead of the pipeline's defaults")


class KubeflowPipeline(dg.Component, dg.Model, dg.Resolvable):
    """Compiles `steps` (or takes a `package` that `kfp` has compiled), submits the pipeline and waits for its end.

    What becomes of the asset is told by the run: failed steps fail it, a terminated Dagster run stops the pipeline.
    """

    asset_key: str = Field(description="`system/namespace/entity`", examples=["kubeflow/bsl/training"])
    description: str = Field(description="First line: what one row or file is")
    owner: str = Field(description="`team:…`")
    group: str = Field(default="training", description="Stage folder")
    code_version: int = Field(default=1, description="Raise when what the containers do changes")
    deps: list[str] = Field(default=[], description="Assets that have to be made first")
    pipeline: str = Field(description="Name of the pipeline in Kubeflow")
    experiment: str = Field(default="Default", description="Made on first use")
    steps: list[PipelineStep] = Field(default=[], description="What is compiled")
    parameters: dict[str, str | int | float | bool] = Field(default={}, description="With their defaults")
    package: str = Field(
        default="", description="Instead of steps: YAML file that `kfp dsl compile` has written"
    )
    minutes: float = Field(default=240, description="After which a run is stopped")
    every_seconds: float = Field(default=10, description="Between two looks at the run")

    def specification(self) -> dict[str, Any]:
        """Raises PermanentError when the steps, or the package, are no pipeline."""
        if bool(self.steps) == bool(self.package):
            raise PermanentError(f"{self.asset_key}: give either steps or a package")
        if self.package:
            return _packaged(Path(self.package))
        steps = [Step(**step.model_dump()) for step in self.steps]
        return compiled(self.pipeline, steps, self.parameters, self.description.split("\n")[0])

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[self.asset()])

    def asset(self) -> dg.AssetsDefinition:
        specification = self.specification()

        @dg.asset(
            key=dg.AssetKey.from_user_string(self.asset_key),
            deps=[dg.AssetKey.from_user_string(dep) for dep in self.deps],
            description=self.description,
            group_name=self.group,
            kinds={"kubeflow"},
            owners=[self.owner],
            code_version=str(self.code_version),
            required_resource_keys={RESOURCE},
        )
        def pipeline(context: dg.AssetExecutionContext, config: PipelineConfig) -> dg.MaterializeResult:
            with failures(context):
                kubeflow = getattr(context.resources, RESOURCE).open()
                # of the whole Dagster run: a step that is tried again finds what it has started
                name = f"{self.pipeline}-{context.run.run_id}"
                run_id = kubeflow.submit(specification, name, config.parameters, experiment=self.experiment)
                context.log.info(f"Kubeflow run {kubeflow.link(run_id)}")
                ended = kubeflow.wait(
                    run_id, minutes=self.minutes, every=self.every_seconds, progress=progress(context)
                )
            return dg.MaterializeResult(metadata=facts(ended, kubeflow.link(run_id)))

        return pipeline


def facts(run: PipelineRun, link: str) -> dict[str, Any]:
    return {
        "run": dg.UrlMetadataValue(link),
        "run_id": run.id,
        "state": run.state,
        "steps": dict(run.steps),
        "seconds": dict(run.seconds),
    }


def _packaged(file: Path) -> dict[str, Any]:
    """The first document of a package; the second one, when there is one, is about the cluster."""
    import yaml

    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PermanentError(f"{file} is no package of kfp: {error}") from error
    if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
        raise PermanentError(f"{file} is no package of kfp: it has no pipelineInfo")
    if len(documents) == 1:
        return documents[0]
    return {"pipeline_spec": documents[0], "platform_spec": documents[1]}
