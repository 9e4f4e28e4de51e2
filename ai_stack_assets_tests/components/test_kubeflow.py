"""`KubeflowPipeline`: a document becomes an asset; its materialisation is a run of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from ai_stack_assets.components.kubeflow import KubeflowPipeline
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.resources.kubeflow import KubeflowResource
from ai_stack_assets_tests.domain.training.test_pipeline_ir import GOLDEN
from ai_stack_assets_tests.servers.kubeflow import Server, kubeflow

DOCUMENT = """
asset_key: kubeflow/bsl/training
description: One run trains the models in the cluster.
owner: team:models
deps: [dataset/bsl/splits]
pipeline: bsl-training
every_seconds: 0
parameters: {seed: 7}
steps:
  - {name: features, image: "registry/ai:1", command: [python, -m, ai_stack_assets, train], args: [--only, features]}
  - {name: fit, image: "registry/ai:1", args: ["${seed}"], after: [features], gpus: 1, memory: 8G}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with kubeflow() as state:
        yield state


def component(**more: Any) -> KubeflowPipeline:
    return KubeflowPipeline.resolve_from_dict({**yaml.safe_load(DOCUMENT), **more})


def run(
    server: Server, made: KubeflowPipeline, config: dict[str, Any] | None = None
) -> dg.ExecuteInProcessResult:
    asset = made.asset()
    return dg.materialize(
        [asset],
        resources={"kubeflow": KubeflowResource(url=server.url)},
        run_config={"ops": {asset.op.name: {"config": config or {}}}},
        raise_on_error=False,
    )


def test_the_asset_is_made_by_a_run_of_the_compiled_pipeline(server: Server) -> None:
    server.tasks = [{"display_name": "fit", "state": "SUCCEEDED"}]
    result = run(server, component(), {"parameters": {"seed": 11}})
    assert result.success
    (submitted,) = server.runs
    assert set(submitted["pipeline_spec"]["root"]["dag"]["tasks"]) == {"features", "fit"}
    assert submitted["runtime_config"]["parameters"] == {"seed": 11}
    (made,) = result.asset_materializations_for_node("kubeflow__bsl__training")
    assert made.metadata["state"].value == "SUCCEEDED"
    assert made.metadata["run"].value.endswith("/#/runs/details/run-1")


def test_a_failed_pipeline_fails_the_asset_without_another_try(server: Server) -> None:
    server.script = ["FAILED"]
    result = run(server, component())
    assert not result.success
    assert len(server.runs) == 1


def test_a_pipeline_that_kfp_has_compiled_is_taken_as_it_is(server: Server) -> None:
    assert run(server, component(steps=[], package=str(GOLDEN))).success
    assert server.runs[0]["pipeline_spec"] == yaml.safe_load(GOLDEN.read_text())


def test_what_is_no_package_is_refused_when_the_location_loads(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("steps: 1")
    with pytest.raises(PermanentError, match="no pipelineInfo"):
        component(steps=[], package=str(file)).asset()


def test_steps_and_a_package_at_once_are_refused() -> None:
    with pytest.raises(PermanentError, match="either steps or a package"):
        component(package="pipeline.yaml").asset()
