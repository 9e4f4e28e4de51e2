"""Sensors over models and data, as YAML instantiates them: what is waited for, and which job runs then.

`ModelAliasSensor`, `RunCompleteSensor`, `DataQualitySensor`, `PerformanceSensor`: each asks once for one state of the world.
"""

import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.domain.training.conditions import Comparison, holds, shape
from ai_stack_assets.domain.training.validation_rules import Rules

MLFLOW, LAKE = "mlflow", "lake"
Asked = Iterator[dg.RunRequest | dg.SkipReason]


class TriggerSensor(dg.Component, dg.Model, dg.Resolvable):
    """What the four have in common."""

    name: str = Field(description="Of the sensor")
    description: str = Field(description="What is waited for, and what runs then")
    job: str = Field(description="Job to run; of a job with partitions by time the newest that is over")
    every_seconds: int = Field(default=300, description="Between two looks")
    is_running: bool = Field(default=False, description="Switched on when the location is loaded")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(sensors=[self.sensor()])

    def sensor(self) -> dg.SensorDefinition:
        status = dg.DefaultSensorStatus.RUNNING if self.is_running else dg.DefaultSensorStatus.STOPPED

        @dg.sensor(
            name=self.name,
            description=self.description,
            job_name=self.job,
            minimum_interval_seconds=self.every_seconds,
            default_status=status,
            required_resource_keys={self.resource()},
        )
        def look(context: dg.SensorEvaluationContext) -> Asked:
            yield from self.tick(context, getattr(context.resources, self.resource()))

        return look

    def resource(self) -> str:
        """Name of what is looked at."""
        return MLFLOW

    @abstractmethod
    def tick(self, context: dg.SensorEvaluationContext, resource: Any) -> Asked: ...

    def request(self, context: dg.SensorEvaluationContext, key: str, **tags: str) -> dg.RunRequest:
        assert context.repository_def is not None
        partitions = context.repository_def.get_job(self.job).partitions_def
        newest = (
            partitions.get_last_partition_key()
            if isinstance(partitions, dg.TimeWindowPartitionsDefinition)
            else None
        )
        return dg.RunRequest(run_key=f"{self.name}:{key}", partition_key=newest, tags=tags)


class ModelAliasSensor(TriggerSensor):
    """Waits for another version of a model under an alias: a new champion, or one that was rolled back."""

    registered_model: str = Field(examples=["bsl-embeddings"])
    alias: str = Field(default="champion")

    def tick(self, context: dg.SensorEvaluationContext, resource: Any) -> Asked:
        from ai_stack_assets.domain.training.registry.aliases import by_alias

        with resource.open().tracking.open() as client:
            found = by_alias(client, self.registered_model, self.alias)
        version = found.version if found else ""
        if version == (context.cursor or ""):
            yield dg.SkipReason(
                f"{self.registered_model}@{self.alias} is {f'still version {version}' if version else 'not there'}."
            )
            return
        context.update_cursor(version)
        if not version:
            yield dg.SkipReason(f"{self.registered_model}@{self.alias} is there no more.")
            return
        # with the moment: a version that comes back after a rollback is news again
        yield self.request(
            context,
            f"{version}:{time.time_ns()}",
            **{"mlflow/model": self.registered_model, "mlflow/version": version},
        )


class RunCompleteSensor(TriggerSensor):
    """Waits for runs of an experiment that end; one request for each. Those from before the first look are left out."""

    experiment: str = Field(description="Of MLflow", examples=["bsl-embeddings"])
    status: str = Field(default="FINISHED", description="`FINISHED`, `FAILED` or `KILLED`")
    most: int = Field(default=20, description="Requests of one look; the others wait for the next")

    def tick(self, context: dg.SensorEvaluationContext, resource: Any) -> Asked:
        moment, _, told = (context.cursor or str(int(time.time() * 1000))).partition(":")
        with resource.open().tracking.open() as client:
            experiment = client.get_experiment_by_name(self.experiment)
            runs = client.search_runs(
                [experiment.experiment_id] if experiment else [],
                f"attributes.status = '{self.status}' AND attributes.end_time >= {moment}",
                max_results=self.most,
                order_by=["attributes.end_time ASC"],
            )
        new = [run.info for run in runs if run.info.run_id not in told.split(",")]
        for info in new:
            yield self.request(context, info.run_id, **{"mlflow/run_id": info.run_id})
        if not new:
            context.update_cursor(f"{moment}:{told}")
            yield dg.SkipReason(
                f"No run of {self.experiment} has ended as {self.status} since the last look."
            )
            return
        last = runs[-1].info.end_time
        # another run may yet end in the same millisecond: it is looked at again, without those that were told
        context.update_cursor(
            f"{last}:{','.join(run.info.run_id for run in runs if run.info.end_time == last)}"
        )


class DataQualitySensor(TriggerSensor):
    """Waits for a version of a table in the lake that has enough rows, its columns, and few nulls. Reads footers, no rows."""

    namespace: str = Field(description="Folder of the lake", examples=["training/features"])
    configuration: str = Field(description="Name of the version's folder", examples=["dataset"])
    table: str = Field(examples=["features"])
    rows: int = Field(default=1, description="At least")
    columns: list[str] = Field(default=[], description="All of these")
    null_share: float = Field(default=0.0, description="At most, of each of the columns; 0 to 1")
    null_shares: dict[str, float] = Field(default={}, description="The same by column")

    def resource(self) -> str:
        return LAKE

    def tick(self, context: dg.SensorEvaluationContext, resource: Any) -> Asked:
        version: Version | None = resource.open(self.namespace).current(self.configuration)
        place = f"{self.namespace}/{self.configuration}"
        if version is None:
            yield dg.SkipReason(f"{place} is not in the lake.")
        elif version.id == context.cursor:
            yield dg.SkipReason(f"{place} is still version {version.id}.")
        else:
            rules = Rules(self.rows, tuple(self.columns), self.null_share, self.null_shares)
            wrong = shape(version, self.table, rules)
            context.update_cursor(version.id)
            if wrong:
                yield dg.SkipReason(
                    f"{place}, version {version.id}: {'; '.join(finding.message for finding in wrong)}"
                )
            else:
                yield self.request(context, version.id, **{"lake/version": version.id})


class PerformanceSensor(TriggerSensor):
    """Waits for a metric of the version under an alias to be below, above or equal to a threshold."""

    registered_model: str = Field(examples=["bsl-regressor"])
    alias: str = Field(default="champion")
    metric: str = Field(examples=["r2"])
    comparison: Comparison = Field(description="< <= > >= == !=")
    threshold: float

    def tick(self, context: dg.SensorEvaluationContext, resource: Any) -> Asked:
        from ai_stack_assets.domain.training.registry.aliases import by_alias, with_metrics

        with resource.open().tracking.open() as client:
            found = with_metrics(client, by_alias(client, self.registered_model, self.alias))
        place = f"{self.registered_model}@{self.alias}"
        if found is None or self.metric not in found.metrics:
            yield dg.SkipReason(
                f"{place} is not there." if found is None else f"{place} has no metric {self.metric}."
            )
            return
        value = found.metrics[self.metric]
        said = f"{self.metric} of {place}, version {found.version}, is {value:.6g}"
        # the value too: it may be measured again for the same version
        state = f"{found.version}:{value!r}"
        if not holds(value, self.comparison, self.threshold):
            context.update_cursor("")
            yield dg.SkipReason(f"{said}: not {self.comparison} {self.threshold:g}.")
        elif state == context.cursor:
            yield dg.SkipReason(f"{said}, as when it was asked for last.")
        else:
            context.update_cursor(state)
            yield self.request(
                context, state, **{"mlflow/model": self.registered_model, "mlflow/version": found.version}
            )
