"""Where steps run: in processes of the run's machine, or each in a pod of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
from dagster._core.executor.in_process import InProcessExecutor

from ai_stack_assets.orchestration import keys


def processes() -> dg.ExecutorDefinition:
    """Every step in a process of its own: stores are written at the same time, and a crash stays within one.

    Measured with ten empty steps on two busy cores: spawned 24–40 s, forkserver with the location preloaded
    22 s, with Dagster's storage modules too 8 s (3.4 s of that once, to start it), in one process 0.7 s.
    """
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": len(keys.STORE_KEYS),
            "tag_concurrency_limits": [{"key": keys.FIT_TAG, "limit": fits_at_once()}],
            "start_method": {"forkserver": {"preload_modules": [keys.PRELOAD]}},
        }
    )


def fits_at_once() -> int:
    """Models that are fitted at the same time on one machine: they share its cores, and each takes up to a gigabyte."""
    return max(1, min(len(keys.MODELS), len(os.sched_getaffinity(0))))


def pods(file: Path) -> dg.ExecutorDefinition:
    """Every step in a Kubernetes pod. `file`: the configuration of `k8s_job_executor`, as YAML.

    Pods share nothing but the lake in the bucket (LAKE_URL), the stores' servers and Dagster's own database.
    """
    import yaml

    try:
        from dagster_k8s import k8s_job_executor
    except ImportError as error:
        raise dg.DagsterInvalidDefinitionError(
            "AI_STACK_ASSETS_EXECUTOR is set, so steps run in pods: install the extra `kubernetes` for that"
        ) from error
    try:
        config = dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise dg.DagsterInvalidDefinitionError(
            f"AI_STACK_ASSETS_EXECUTOR={file}: this should be a YAML file with the settings of pods: {error}"
        ) from error
    return k8s_job_executor.configured(config)


def light(
    executor: dg.ExecutorDefinition, is_light: Callable[[dg.DagsterRun], bool]
) -> dg.ExecutorDefinition:
    """That executor; but a run with next to nothing to do has its steps in its own process, one after the other.

    Ten steps that each find that nothing has changed: 19 s in processes of their own, 6 s in one.
    """

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        return _Light(executor.executor_creation_fn(context), is_light)  # ty: ignore[not-callable]

    return dg.ExecutorDefinition(
        name=executor.name,
        config_schema=executor.config_schema,  # ty: ignore[invalid-argument-type]
        requirements=executor.get_requirements,
        executor_creation_fn=create,
        description=executor.description,
    )


class _Light(dg.Executor):
    def __init__(self, inner: dg.Executor, is_light: Callable[[dg.DagsterRun], bool]) -> None:
        self._inner, self._is_light = inner, is_light

    @property
    def retries(self) -> dg.RetryMode:
        return self._inner.retries

    def execute(self, plan_context, execution_plan) -> Iterator[dg.DagsterEvent]:
        is_light = self._is_light(plan_context.dagster_run)
        executor = InProcessExecutor(self.retries) if is_light else self._inner
        yield from executor.execute(plan_context, execution_plan)
