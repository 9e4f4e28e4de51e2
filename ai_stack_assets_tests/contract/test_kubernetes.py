"""The files in deploy/kubernetes: valid for the API, and in agreement with each other and with the definitions."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import kubernetes_validate
import pytest
import yaml

from ai_stack_assets.defs.shared import jobs
from ai_stack_assets.orchestration import executors, keys
from ai_stack_assets_tests.platform import location

DEPLOY = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.34")


def documents() -> list[dict]:
    return [
        each
        for name in ("access.yaml", "platform.yaml")
        for each in yaml.safe_load_all((DEPLOY / name).read_text())
    ]


@pytest.mark.parametrize(
    "document", documents(), ids=lambda each: f"{each['kind']} {each['metadata']['name']}"
)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(document: dict, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_the_pods_of_steps_are_named_after_steps_that_there_are() -> None:
    steps = {node.name for node in location().resolve_job_def(keys.PIPELINE).nodes}
    named = set(yaml.safe_load((DEPLOY / "steps.yaml").read_text())["per_step_k8s_config"])
    assert named <= steps
    assert {key.to_python_identifier() for key in keys.STORE_KEYS} <= named


def test_what_is_mounted_and_read_is_generated() -> None:
    generated = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    made = {each["name"] for each in generated["configMapGenerator"] + generated["secretGenerator"]}
    launcher = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())["run_launcher"]["config"]
    read = {*launcher["env_config_maps"], *launcher["env_secrets"], launcher["instance_config_map"]}
    read |= {volume["configMap"]["name"] for volume in launcher["volumes"] if "configMap" in volume}
    assert read == made
    files = [
        f for each in generated["configMapGenerator"] for f in each.get("files", []) + each.get("envs", [])
    ]
    assert all((DEPLOY / name).exists() for name in [*files, *generated["resources"]])
    assert launcher["service_account_name"] in {each["metadata"]["name"] for each in documents()}


def test_the_instance_limits_runs_as_the_one_of_a_single_machine_does() -> None:
    here, there = (
        yaml.safe_load(file.read_text())["concurrency"]
        for file in (DEPLOY / "dagster.yaml", DEPLOY.parents[1] / "dagster.yaml")
    )
    assert here["runs"]["tag_concurrency_limits"] == there["runs"]["tag_concurrency_limits"]
    assert here["pools"] == there["pools"]


def test_a_setting_alone_makes_pods_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AI_STACK_ASSETS_EXECUTOR", raising=False)
    assert jobs.executor().executor.name == "multiprocess"
    monkeypatch.setenv("AI_STACK_ASSETS_EXECUTOR", str(DEPLOY / "steps.yaml"))
    assert jobs.executor().executor.name == "k8s"


@pytest.mark.parametrize("content", [None, "max_concurrent: [", "words"])
def test_a_file_of_pods_that_cannot_be_read_names_the_setting(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "steps.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"AI_STACK_ASSETS_EXECUTOR=.*steps.yaml"):
        executors.pods(file)
