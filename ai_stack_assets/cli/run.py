"""`run`: reads configurations into the lake and the stores, on the instance that the web interface shows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
from filelock import FileLock

from ai_stack_assets.cli.events import Follower, RunFacts
from ai_stack_assets.cli.interrupts import stop_if_interrupted
from ai_stack_assets.cli.main import STORES
from ai_stack_assets.cli.summary import farewell, summary
from ai_stack_assets.cli.targets import targets
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.definitions import defs
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.abandoned import PROCESS_TAG, end_abandoned_runs, process_tag
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG

REPOSITORY_TAG = ".dagster/repository"
"""By this the web interface lists a run under its job."""


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Each configuration of the source in a run of its own, one after the other. Returns the exit code."""
    entries = targets(options.source, options.name, terminal)
    all_done = True
    with open_instance() as instance:
        end_abandoned_runs(instance)
        instance.add_dynamic_partitions(CONFIGURATION, [entry.name for entry in entries])
        for entry in entries:
            stop_if_interrupted()
            terminal.say(f"\n{entry.name}: {entry.source} {entry.path or ''}")
            facts = execute(instance, pipeline, entry.name, store_options(options), terminal)
            if facts.is_interrupted:
                raise KeyboardInterrupt
            terminal.say(summary(facts))
            all_done = all_done and facts.is_complete
    terminal.say(farewell(terminal))
    return 0 if all_done else 1


def open_instance() -> dg.DagsterInstance:
    """The instance with its storage made: two processes that make the same SQLite tables at once would fail."""
    with FileLock(settings.enter_instance() / ".opening.lock"):
        instance = dg.DagsterInstance.get()
        _ = instance.run_storage, instance.event_log_storage, instance.schedule_storage
        instance.get_runs(limit=1)
    return instance


def store_options(options: argparse.Namespace) -> dict[str, dict[str, dict[str, bool]]]:
    """The configuration of the steps that write stores."""
    return {
        keys.STORES_BY_NAME[name].to_python_identifier(): {
            "config": {"allow_shrink": options.allow_shrink, "rebuild": name in options.rebuild}
        }
        for name in STORES
    }


def execute(
    instance: dg.DagsterInstance,
    job: Callable[[], dg.JobDefinition],
    partition: str,
    steps: Mapping[str, Any],
    terminal: Terminal,
    assets: Sequence[dg.AssetKey] | None = None,
) -> RunFacts:
    """One run of a job in this process and its children. `steps`: their configuration. `assets`: of the job; default all."""
    process = process_tag()
    tags = {PARTITION_TAG: partition, PROCESS_TAG: process, REPOSITORY_TAG: "__repository__@ai_stack_assets"}
    with (
        Follower(instance, (PROCESS_TAG, process), terminal) as facts,
        dg.execute_job(
            dg.reconstructable(job),
            instance=instance,
            tags=tags,
            run_config={"ops": steps},
            asset_selection=assets,
            raise_on_error=False,
        ),
    ):
        pass
    return facts


def pipeline() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.PIPELINE)
