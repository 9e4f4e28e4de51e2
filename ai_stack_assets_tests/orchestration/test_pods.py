"""Tags of a step's pod: only what is asked for, in the words of dagster-k8s."""

from __future__ import annotations

import re

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.orchestration.pods import TAG, Pod, of, tags

GPU = Pod(
    gpus=1,
    cpu="4",
    memory="16Gi",
    node_selector={"accelerator": "a100"},
    tolerations=({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},),
)


def test_a_pod_with_a_gpu_is_asked_for_with_its_node() -> None:
    config = tags(GPU)[TAG]
    assert config["container_config"]["resources"] == {
        "requests": {"cpu": "4", "memory": "16Gi"},
        "limits": {"memory": "16Gi", "nvidia.com/gpu": "1"},
    }
    assert config["pod_spec_config"]["node_selector"] == {"accelerator": "a100"}


def test_dagster_k8s_understands_them() -> None:
    container = pytest.importorskip("dagster_k8s.container_context")
    config = container.UserDefinedDagsterK8sConfig.from_dict(tags(GPU)[TAG])
    assert config.container_config["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert config.pod_spec_config["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_nothing_asked_for_is_no_tag() -> None:
    assert tags(Pod()) == {}


def test_memory_alone_is_no_placement() -> None:
    assert tags(Pod(memory="2Gi"))[TAG] == {
        "container_config": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}}
    }


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"gpu": 1}, "training.yaml: pod: unknown key 'gpu', did you mean 'gpus'?"),
        ({"gpus": "one"}, "training.yaml: pod: Expected `int`"),
    ],
)
def test_a_wrong_key_or_value_is_named(section: dict[str, object], problem: str) -> None:
    with pytest.raises(PermanentError, match=re.escape(problem)):
        of(section)
