"""The last thing `run` prints: what there is, what changed, what was checked, seconds, what to open next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from ai_stack_assets.cli.events import RunFacts
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.orchestration import keys

_CHANGES = ("added", "changed", "removed")


def summary(facts: RunFacts) -> str:
    return "\n".join(
        [
            "",
            *_rows(facts, "lake tables", {keys.lake(table): table for table in TABLES}),
            "",
            *_rows(facts, "stores", {key: key.path[0] for key in keys.STORE_KEYS}),
            "",
            *checks_and_failures(facts),
        ]
    )


def checks_and_failures(facts: RunFacts) -> Iterator[str]:
    """What held and what did not, how long each step took, what failed."""
    yield from _checks(facts.checks)
    yield from _seconds(facts)
    yield from _failures(facts)


def farewell(terminal: Terminal) -> str:
    return "\n".join(
        [
            "",
            f"Data    {settings.data_folder()}",
            f"Log     {terminal.log}",
            "Next    make dev    opens the web interface: lineage, history and checks of every run",
        ]
    )


def _rows(facts: RunFacts, title: str, names: dict[dg.AssetKey, str]) -> Iterator[str]:
    """A line per asset: rows, and what changed; dots where it was not made."""
    yield f"{title:<16}{'rows':>10}{'added':>10}{'changed':>10}{'removed':>10}"
    for key, name in names.items():
        made = facts.metadata.get(key.to_user_string())
        if made is None:
            yield f"  {name:<14}{'not made':>10}"
            continue
        changes = "".join(f"{made[what]:>10,}" if made[what] else f"{'·':>10}" for what in _CHANGES)
        yield f"  {name:<14}{made['dagster/row_count']:>10,}{changes}"


def _checks(checks: Iterable[dg.AssetCheckEvaluation]) -> Iterator[str]:
    checks = list(checks)
    bad = [check for check in checks if not check.passed]
    errors = sum(check.severity == dg.AssetCheckSeverity.ERROR for check in bad)
    yield f"Checks  {len(checks) - len(bad)} passed, {errors} failed, {len(bad) - errors} warnings"
    for check in bad:
        yield f"        {check.asset_key.to_user_string()}: {check.check_name}: {check.description}"


def _seconds(facts: RunFacts) -> Iterator[str]:
    phases: dict[str, Any] = facts.metadata.get(keys.lake("objects").to_user_string(), {}).get("seconds", {})
    for step, seconds in facts.seconds.items():
        details = phases if step == keys.EXTRACT else _phases_of(facts, step)
        parts = ", ".join(f"{phase} {value:.1f}" for phase, value in details.items() if value >= 0.05)
        yield f"Seconds {seconds:>6.1f}  {step.replace('__', '/'):<36}{parts}"


def _phases_of(facts: RunFacts, step: str) -> dict[str, float]:
    return facts.metadata.get(step.replace("__", "/"), {}).get("seconds") or {}


def _failures(facts: RunFacts) -> Iterator[str]:
    for step, message in facts.failures.items():
        yield f"\nFailed  {step.replace('__', '/')}: {message}"
    for step in facts.skipped:
        yield f"Skipped {step.replace('__', '/')}"
