"""The whole platform on a temporary folder, run in process: what the tests of definitions work with."""

from __future__ import annotations

import contextvars
import functools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ai_stack_assets.definitions import defs
from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG
from ai_stack_assets.resources.alerts import AlertsResource
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.dataset import DatasetResource, DatasetSourcesResource, HubResource
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import GraphResource, PostgresResource, SearchResource, VectorResource
from ai_stack_assets.resources.training import TrainingResource
from ai_stack_assets.resources.vectorisers import VectorisersResource

PROJECT = Path(__file__).parents[1]
SAMPLE = PROJECT / "samples" / "demo" / "designer"
LAKE = list(keys.LAKE_TABLES.values())


@functools.cache
def location() -> dg.Definitions:
    return defs()


def asked_by(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, at: datetime, **resources: Any):
    """What a schedule asks for at a moment. In a context of its own: Dagster leaves open the instance that a schedule asked
    for, and whenever that is collected, its context variable goes back to what it was, under the feet of a later test."""

    def asked() -> list[Any]:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
        return list(schedule(context, **resources))

    return contextvars.copy_context().run(asked)


@dataclass
class Platform:
    """One data folder, one Dagster instance without files, resources that can be replaced."""

    folder: Path
    instance: dg.DagsterInstance
    replaced: dict[str, dg.ConfigurableResource] = field(default_factory=dict)
    cursor: Any = None
    """Of the automation, from tick to tick."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def file(self) -> Path:
        return self.folder / "configurations.yaml"

    def configure(self, **sources: Path | str) -> None:
        """Write `configurations.yaml`; the configurations become partitions."""
        lines = [f"  - {{name: {name}, source: '{source}'}}" for name, source in sources.items()]
        self.file.write_text("\n".join(["configurations:", *lines, ""]))
        self.instance.add_dynamic_partitions(CONFIGURATION, list(sources))

    def resources(self) -> dict[str, Any]:
        data = str(self.data)
        vectorisers = VectorisersResource(data=data)
        postgres = PostgresResource(data=data)
        lake, configurations = LakeResource(data=data), ConfigurationsResource(file=str(self.file))
        training = TrainingResource(
            data=data, file=str(self.folder / "training.yaml"), lake=lake, configurations=configurations
        )
        dataset = DatasetResource(data=data, file=str(self.folder / "dataset.yaml"))
        return {
            "dataset_settings": dataset,
            "dataset_sources": DatasetSourcesResource(dataset=dataset, postgres=postgres),
            "hub": HubResource(data=data),
            "ray_pipes": dg.PipesSubprocessClient(),
            "alerts": AlertsResource(),
            "configurations": configurations,
            "lake": lake,
            "mlflow": MlflowResource(data=data, postgres=postgres),
            "training_settings": training,
            "vectorisers": vectorisers,
            "postgres": postgres,
            "graph": GraphResource(data=data),
            "vectors": VectorResource(data=data, vectorisers=vectorisers),
            "search": SearchResource(data=data),
            **self.replaced,
        }

    def run(
        self,
        assets: list[dg.AssetKey] | dg.AssetSelection,
        configuration: str | None = "demo",
        config: dict[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Materialise these assets; a failure is in the result, not raised. `config`: by step."""
        selection = dg.AssetSelection.assets(*assets) if isinstance(assets, list) else assets
        job = dg.define_asset_job("tested", selection)
        definitions = dg.Definitions(location().assets, resources=self.resources(), jobs=[job])
        return definitions.resolve_job_def("tested").execute_in_process(
            tags={PARTITION_TAG: configuration} if configuration else {},
            instance=self.instance,
            run_config={"ops": {step: {"config": value} for step, value in (config or {}).items()}},
            raise_on_error=False,
        )

    def version(self, configuration: str = "demo") -> Version:
        return LakeResource(data=str(self.data)).open().require(configuration)


def metadata(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, Any]:
    """Plain values by name."""
    events = result.get_asset_materialization_events()
    [made] = [event.materialization for event in events if event.asset_key == key]
    return {name: value.value for name, value in made.metadata.items()}


def made(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    return {event.asset_key for event in result.get_asset_materialization_events()}


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """By asset and name."""
    return {(e.asset_key.to_user_string(), e.check_name): e for e in result.get_asset_check_evaluations()}


_CHILD = "<Catalog>Пропавший</Catalog>"


def break_gates(source: Path) -> None:
    """The configuration lists a catalog that is not there."""
    _replace(source / "Configuration.xml", "</ChildObjects>", f"{_CHILD}</ChildObjects>")


def mend_gates(source: Path) -> None:
    _replace(source / "Configuration.xml", _CHILD, "")


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8-sig")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
