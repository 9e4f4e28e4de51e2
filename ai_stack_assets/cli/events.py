"""A run's event log as it grows: lines of progress for the user, and the facts for the summary."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import DagsterEventType as Kind

from ai_stack_assets.cli.terminal import Terminal

POLL_SECONDS = 0.25
PAGE = 500


@dataclass
class RunFacts:
    """What a run did, by asset (`lake/onec/objects`) and step."""

    run_id: str = ""
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: list[dg.AssetCheckEvaluation] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return not self.failures and not self.skipped

    @property
    def is_interrupted(self) -> bool:
        return any("ExecutionInterrupted" in words for words in self.failures.values())


class Follower:
    """Reads the log of one run, found by a tag, until closed; says each thing worth knowing once."""

    def __init__(self, instance: dg.DagsterInstance, tag: tuple[str, str], terminal: Terminal) -> None:
        self.instance, self.tag, self.terminal = instance, tag, terminal
        self.facts = RunFacts()
        self._cursor: str | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> RunFacts:
        self._thread.start()
        return self.facts

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._done.wait(POLL_SECONDS):
            self._read()
        self._read()

    def _read(self) -> None:
        if not self.facts.run_id:
            runs = self.instance.get_runs(dg.RunsFilter(tags=dict([self.tag])), limit=1)
            if not runs:
                return
            self.facts.run_id = runs[0].run_id
        more = True
        while more:
            page = self.instance.get_records_for_run(self.facts.run_id, cursor=self._cursor, limit=PAGE)
            for record in page.records:
                self._take(record.event_log_entry)
            self._cursor, more = page.cursor, page.has_more

    def _take(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            if entry.step_key and logging.INFO <= int(entry.level) < logging.ERROR:
                self.terminal.step(entry.step_key, entry.user_message)
            return
        if event.event_type == Kind.ASSET_MATERIALIZATION:
            made = event.step_materialization_data.materialization
            self.facts.metadata[made.asset_key.to_user_string()] = {
                k: v.value for k, v in made.metadata.items()
            }
        elif event.event_type == Kind.ASSET_CHECK_EVALUATION:
            self._take_check(event.asset_check_evaluation_data)
        elif event.step_key:
            self._take_step(event, event.step_key)
        elif event.event_type == Kind.RUN_FAILURE and not (self.facts.failures or self.facts.skipped):
            self.facts.failures["run"] = " ".join((event.message or "failed").split())

    def _take_check(self, check: dg.AssetCheckEvaluation) -> None:
        self.facts.checks.append(check)
        if not check.passed:
            word = "check failed" if check.severity == dg.AssetCheckSeverity.ERROR else "warning"
            self.terminal.step(
                check.asset_key.to_user_string(), f"{word}: {check.check_name}: {check.description}"
            )

    def _take_step(self, event: dg.DagsterEvent, step: str) -> None:
        if event.event_type == Kind.STEP_SUCCESS:
            self.facts.seconds[step] = event.step_success_data.duration_ms / 1000
            self.terminal.step(step, f"done in {self.facts.seconds[step]:.1f} s")
        elif event.event_type == Kind.STEP_FAILURE:
            self.facts.failures[step] = reason(event)
            self.terminal.step(step, f"FAILED: {self.facts.failures[step]}")
        elif event.event_type == Kind.STEP_SKIPPED:
            self.facts.skipped.append(step)
            self.terminal.step(step, "skipped: what it reads was not made")


def reason(event: dg.DagsterEvent) -> str:
    """Why a step failed, in the words of whoever raised it, without a traceback."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error and error.cause:
        error = error.cause
    words = " ".join(error.message.split()) if error else event.message or "unknown"
    # Dagster's own classes say nothing to a user
    return re.sub(r"^dagster\.[\w.]+: ", "", words)
