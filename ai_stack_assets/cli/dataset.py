"""`dataset`: builds and publishes one week of the BSL dataset, on the instance that the web interface shows."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import dagster as dg

from ai_stack_assets.cli.events import RunFacts
from ai_stack_assets.cli.run import execute, open_instance
from ai_stack_assets.cli.summary import checks_and_failures, farewell
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.cli.weeks import week_of
from ai_stack_assets.definitions import defs
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.abandoned import end_abandoned_runs

_STAGES = (keys.MERGED, keys.DEDUPLICATED, keys.FILTERED)
_LOSSES = {
    "exact_duplicates": "exact duplicates",
    "removed_equal_tokens": "equal tokens",
    "removed_near": "near-duplicates",
    "rejected": "rejected",
}


def dataset(options: argparse.Namespace, terminal: Terminal) -> int:
    """Returns the exit code."""
    week = week_of(dataset_job(), options.week)
    terminal.say(f"\nWeek of {week}")
    config = {"config": {"read_again": options.read_again}}
    steps = {key.to_python_identifier(): config for key in keys.DATASET_SOURCES.values()}
    with open_instance() as instance:
        end_abandoned_runs(instance)
        facts = execute(instance, dataset_job, week, steps, terminal)
    if facts.is_interrupted:
        raise KeyboardInterrupt
    terminal.say("\n".join(["", *_summary(facts), "", *checks_and_failures(facts)]))
    terminal.say(farewell(terminal))
    return 0 if facts.is_complete else 1


def dataset_job() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.DATASET_JOB)


def _summary(facts: RunFacts) -> Iterator[str]:
    made = facts.metadata
    for name, key in keys.DATASET_SOURCES.items():
        if found := made.get(key.to_user_string()):
            reason = found.get("reason", "")
            yield f"{name:<16}{found['dagster/row_count']:>10,}  {found['state']}{': ' * bool(reason)}{reason}"
    for key in _STAGES:
        if found := made.get(key.to_user_string()):
            yield f"{key.path[-1]:<16}{found['dagster/row_count']:>10,}  {_losses(found['facts'])}"
    if found := made.get(keys.SPLITS.to_user_string()):
        rows = found["facts"]["rows"]
        yield f"{'splits':<16}{sum(rows.values()):>10,}  " + ", ".join(
            f"{n} {count:,}" for n, count in rows.items()
        )
    if found := made.get(keys.PUBLISHED.to_user_string()):
        new = "" if found["is_new"] else " (nothing new)"
        yield f"{'published':<16}{found['dagster/row_count']:>10,}  {found['repository']} {found['tag']}{new}"
        yield f"{'':<28}{found['dagster/uri']}"


def _losses(facts: dict[str, Any]) -> str:
    """What was left out, and why."""
    said = []
    for name, words in _LOSSES.items():
        if name in facts:
            count = facts[name]
            total = sum(count.values()) if isinstance(count, dict) else count
            reasons = (
                f" ({', '.join(f'{r} {n}' for r, n in count.items())})"
                if isinstance(count, dict) and count
                else ""
            )
            said.append(f"{total:,} {words}{reasons}")
    return ", ".join(said)
