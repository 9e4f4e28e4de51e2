"""Container steps → the intermediate representation of Kubeflow Pipelines v2, as `kfp` compiles it. No HTTP here: see `kubeflow`.

Without `kfp`: 2.17 wants an older `kubernetes`, `requests` and `urllib3` than the rest of the platform has. Format:
`pipeline_spec.proto` 2.1 of kubeflow/pipelines; the tests compare it with what `kfp` makes of the same steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ai_stack_assets.domain.common.failures import PermanentError

SCHEMA = "2.1.0"
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?\Z")
_PARAMETER = re.compile(r"\$\{(\w+)\}")
_TYPES: Mapping[type, str] = {bool: "BOOLEAN", int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE", str: "STRING"}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_DECIMAL = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "": 1.0}

Parameter = bool | int | float | str


@dataclass(frozen=True)
class Step:
    """One container. `${name}` in `args` is the pipeline's parameter of that name."""

    name: str
    image: str
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    after: Sequence[str] = ()
    """Steps that have to succeed first."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Nothing secret: it is readable in Kubeflow."""
    cpu: str = ""
    """Limit, as Kubernetes has it: `2`, `500m`."""
    memory: str = ""
    """`4G`, `512Mi`."""
    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"
    retries: int = 0


def compiled(
    name: str, steps: Sequence[Step], parameters: Mapping[str, Parameter] | None = None, description: str = ""
) -> dict[str, Any]:
    """The pipeline's specification; as JSON or YAML it is what Kubeflow takes.

    Args:
        parameters: with their defaults.

    Raises:
        PermanentError: a name is not of `a-z0-9-` or occurs twice, a step waits for one that is not there or for itself, or a
            parameter is unknown. It says which.
    """
    parameters = parameters or {}
    _check(name, steps, parameters)
    spec: dict[str, Any] = {
        "components": {f"comp-{step.name}": _component(step, parameters) for step in steps},
        "deploymentSpec": {
            "executors": {f"exec-{step.name}": {"container": _container(step)} for step in steps}
        },
        "pipelineInfo": {"name": name, **({"description": description} if description else {})},
        "root": {"dag": {"tasks": {step.name: _task(step) for step in steps}}},
        "schemaVersion": SCHEMA,
        "sdkVersion": "kfp-2.17.0",
    }
    if parameters:
        spec["root"]["inputDefinitions"] = {"parameters": {n: _default(v) for n, v in parameters.items()}}
    return spec


def _check(name: str, steps: Sequence[Step], parameters: Mapping[str, Parameter]) -> None:
    names = [step.name for step in steps]
    if not steps:
        raise PermanentError(f"pipeline {name!r} has no steps")
    for each in [name, *names]:
        if not _NAME.match(each):
            raise PermanentError(
                f"pipeline {name!r}: {each!r} should begin with a-z and consist of a-z, 0-9 and -"
            )
    if len(set(names)) < len(names):
        twice = next(each for each in names if names.count(each) > 1)
        raise PermanentError(f"pipeline {name!r} has two steps {twice!r}")
    for step in steps:
        if missing := sorted(set(step.after) - set(names)):
            raise PermanentError(f"step {step.name!r} waits for {missing[0]!r}, which is no step of {name!r}")
        if unknown := sorted(set(_used(step)) - set(parameters)):
            raise PermanentError(
                f"step {step.name!r} uses ${{{unknown[0]}}}, which is no parameter of {name!r}"
            )
    try:
        TopologicalSorter({step.name: step.after for step in steps}).prepare()
    except CycleError as error:
        raise PermanentError(f"steps of {name!r} wait for each other: {' → '.join(error.args[1])}") from error


def _used(step: Step) -> list[str]:
    return list(
        dict.fromkeys(found for text in [*step.command, *step.args] for found in _PARAMETER.findall(text))
    )


def _component(step: Step, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    component: dict[str, Any] = {"executorLabel": f"exec-{step.name}"}
    if used := _used(step):
        types = {name: {"parameterType": _TYPES[type(parameters[name])]} for name in used}
        component["inputDefinitions"] = {"parameters": types}
    return component


def _container(step: Step) -> dict[str, Any]:
    container: dict[str, Any] = {"image": step.image}
    for what in ("command", "args"):
        if texts := getattr(step, what):
            container[what] = [_PARAMETER.sub(r"{{$.inputs.parameters['\1']}}", text) for text in texts]
    if step.env:
        container["env"] = [{"name": name, "value": value} for name, value in step.env.items()]
    if resources := _resources(step):
        container["resources"] = resources
    return container


def _resources(step: Step) -> dict[str, Any]:
    """Each limit twice: as older servers read it, a number, and as newer ones do."""
    resources: dict[str, Any] = {}
    if step.gpus:
        resources["accelerator"] = {
            "count": str(step.gpus),
            "type": step.gpu_type,
            "resourceCount": str(step.gpus),
            "resourceType": step.gpu_type,
        }
    if step.cpu:
        resources |= {"cpuLimit": _cores(step.cpu), "resourceCpuLimit": step.cpu}
    if step.memory:
        resources |= {"memoryLimit": _gigabytes(step.memory), "resourceMemoryLimit": step.memory}
    return resources


def _task(step: Step) -> dict[str, Any]:
    task: dict[str, Any] = {
        # a step has no outputs that Kubeflow knows of: what it did before is not to be taken for what it does now
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{step.name}"},
        "taskInfo": {"name": step.name},
    }
    if used := _used(step):
        task["inputs"] = {"parameters": {name: {"componentInputParameter": name} for name in used}}
    if step.after:
        task["dependentTasks"] = list(step.after)
    if step.retries:
        task["retryPolicy"] = {
            "maxRetryCount": step.retries,
            "backoffDuration": "0s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": "3600s",
        }
    return task


def _default(value: Parameter) -> dict[str, Any]:
    return {"parameterType": _TYPES[type(value)], "isOptional": True, "defaultValue": value}


def _cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else _number(text, {"": 1.0})


def _gigabytes(text: str) -> float:
    return _number(text, {**_BINARY, **_DECIMAL}) / 1e9


def _number(text: str, units: Mapping[str, float]) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if not found or found[2] not in units:
        raise PermanentError(f"{text!r} is no amount that Kubernetes knows: 2, 500m, 4G, 512Mi")
    return float(found[1]) * units[found[2]]
