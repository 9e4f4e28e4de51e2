"""`train`, `models`, `rollback`: trains the models of a week, shows which are in use, and puts the one before back."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.cli.events import RunFacts
from ai_stack_assets.cli.run import execute, open_instance
from ai_stack_assets.cli.summary import checks_and_failures, farewell
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.cli.weeks import week_of
from ai_stack_assets.definitions import defs
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.orchestration import champion, keys, training
from ai_stack_assets.orchestration.abandoned import end_abandoned_runs

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.registry.decisions import Row
    from ai_stack_assets.domain.training.registry.registry import Registry

_SHOWN = 5
"""Decisions of each model, the newest first."""


def train(options: argparse.Namespace, terminal: Terminal) -> int:
    """The stage of a week, then cleaning up whatever became of it, then what models in use say. Returns the exit code."""
    week = week_of(training_job(), options.week or _newest())
    wanted = tuple(options.task) or tasks.NAMES
    terminal.say(f"\nWeek of {week}: {', '.join(wanted)}")
    # whoever names a task wants it trained
    config = {"config": {"search": options.search, "force": options.force or bool(options.task)}}
    steps = {keys.MODELS[name].to_python_identifier(): config for name in wanted}
    with open_instance() as instance:
        end_abandoned_runs(instance)
        try:
            facts = execute(instance, training_job, week, steps, terminal, assets=_assets(wanted))
        finally:
            execute(instance, cleanup_job, week, {}, terminal)
        if any(key.to_user_string() in facts.metadata for key in keys.REGISTERED.values()):
            execute(instance, features_job, week, {}, terminal)
    if facts.is_interrupted:
        raise KeyboardInterrupt
    terminal.say("\n".join(["", *_summary(facts, wanted), "", *checks_and_failures(facts)]))
    terminal.say(farewell(terminal))
    return 1 if facts.failures else 0


def models(options: argparse.Namespace, terminal: Terminal) -> int:
    """Each model in use, and what was decided about it lately."""
    del options
    with _registry() as registry:
        for name in tasks.NAMES:
            terminal.say("\n".join(_of_model(registry, name)))
    return 0


def rollback(options: argparse.Namespace, terminal: Terminal) -> int:
    """The champion before becomes champion again."""
    with _registry() as registry:
        row = registry.rollback(options.task, reason=options.reason, by="command line")
        in_use = registry.champion(options.task)
    terminal.say(f"{options.task}: version {row.champion_after} is in use again, not {row.champion_before}")
    # for the pages of the assets, and for what is made by the model in use
    with open_instance() as instance:
        instance.report_runless_asset_event(training.moved_by_hand(options.task, row, in_use))
        if options.task == champion.TASK:
            instance.report_runless_asset_event(champion.observed(in_use))
    return 0


def training_job() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.TRAINING_JOB)


def cleanup_job() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.CLEANUP_JOB)


def features_job() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.FEATURES_JOB)


def _assets(wanted: Sequence[str]) -> list[dg.AssetKey]:
    by_task = (keys.EXAMPLES, keys.MODELS, keys.EVALUATIONS, keys.REGISTERED)
    return [keys.FEATURES, keys.DRIFT, *(some[name] for some in by_task for name in wanted)]


def _newest() -> str:
    with dg.build_resources(resources().resources or {}) as opened:
        weeks = opened.training_settings.weeks()
    if not weeks:
        raise ValueError("there is no dataset to train on: python -m ai_stack_assets dataset")
    return weeks[0]


@contextlib.contextmanager
def _registry() -> Iterator[Registry]:
    with dg.build_resources(resources().resources or {}) as opened:
        yield opened.mlflow.open()


def _summary(facts: RunFacts, wanted: Sequence[str]) -> Iterator[str]:
    made = facts.metadata
    if found := made.get(keys.DRIFT.to_user_string()):
        yield f"drift is {found['level']}: {'; '.join(found['reasons'])}"
    yield f"{'model':<14}{'metric':>22}{'target':>8}  {'outcome':<12}{'fit, s':>8}{'MB':>7}  reason"
    for name in wanted:
        yield _line(
            name,
            *(
                made.get(key[name].to_user_string(), {})
                for key in (keys.MODELS, keys.EVALUATIONS, keys.REGISTERED)
            ),
        )


def _line(name: str, model: dict[str, Any], evaluation: dict[str, Any], registered: dict[str, Any]) -> str:
    if not evaluation:
        return f"{name:<14}{'·':>22}{'':>8}  {'not trained' if not model else 'not judged':<12}"
    metric = tasks.load(name).METRIC
    value, action = evaluation[f"metric/{metric}"], registered.get("action", evaluation["outcome"])
    size = model.get("size_bytes", 0) / 2**20
    return (
        f"{name:<14}{f'{metric} {value:.3f}':>22}{evaluation['target']:>8.3f}  {action:<12}"
        f"{model.get('fit_seconds', 0):>8.1f}{size:>7.1f}  {evaluation['reason'].partition(';')[0]}"
    )


def _of_model(registry: Registry, name: str) -> Iterator[str]:
    yield f"\n{name}"
    if in_use := registry.champion(name):
        metric = tasks.load(name).METRIC
        value, week = in_use.metrics.get(metric, float("nan")), in_use.tags.get("week", "unknown")
        yield f"  in use: version {in_use.version}, {metric} {value:.3f}, week {week}, {in_use.uri}"
    else:
        yield "  no model is in use"
    yield from (_decided(row) for row in reversed(registry.decisions_of(name)[-_SHOWN:]))


def _decided(row: Row) -> str:
    value = "" if row.value is None else f"{row.metric} {row.value:.3f} "
    reason = row.reason.partition(";")[0]
    return f"  {row.decided_at:%Y-%m-%d %H:%M}  {row.action:<13}version {row.version or '·'}  {value}{reason}"
