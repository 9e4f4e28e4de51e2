"""What a step's pod is given in Kubernetes, as tags that dagster-k8s reads: GPUs, processor, memory, the nodes that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ai_stack_assets.domain.common import yaml_settings

TAG = "dagster-k8s/config"


@dataclass(frozen=True)
class Pod:
    """The section `pod` of a task in `training.yaml`. All empty: the pod that `steps.yaml` gives every step."""

    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"
    cpu: str = ""
    """Request, as Kubernetes has it: `2`, `500m`."""
    memory: str = ""
    """Request and limit: `8Gi`. A fit beyond it is killed, not the node's other pods."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, str]] = ()
    """Of a node that keeps others away: `[{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]`."""


def of(section: Mapping[str, Any]) -> Pod:
    """Raises PermanentError that names a wrong key or value."""
    return yaml_settings.of(dict(section), Pod, "training.yaml: pod")


def tags(pod: Pod) -> dict[str, Any]:
    """For `op_tags`; none when nothing is asked for. They win over the executor's file, and count for its pods alone."""
    # a GPU is always asked for as a limit, and whole
    gpus = {pod.gpu_type: str(pod.gpus)} if pod.gpus else {}
    memory = {"memory": pod.memory} if pod.memory else {}
    resources = {
        "requests": {**({"cpu": pod.cpu} if pod.cpu else {}), **memory},
        "limits": {**memory, **gpus},
    }
    placed = {
        "node_selector": dict(pod.node_selector),
        "tolerations": [dict(each) for each in pod.tolerations],
    }
    config = {
        "container_config": {"resources": wanted} if (wanted := _given(resources)) else {},
        "pod_spec_config": _given(placed),
    }
    return {TAG: found} if (found := _given(config)) else {}


def _given(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if value}
