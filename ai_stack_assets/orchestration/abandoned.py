"""Runs whose process is gone: nobody else would end them, and they would hold up their configuration's queue.

Dagster watches the runs that its daemon has launched; those of the command line carry their process in tags.
"""

from __future__ import annotations

import os
import socket

import dagster as dg

HOST_TAG, PROCESS_TAG = "ai_stack_assets/host", "ai_stack_assets/process"


def process_tags() -> dict[str, str]:
    """For a run that this process executes."""
    return {HOST_TAG: socket.gethostname(), PROCESS_TAG: str(os.getpid())}


def end_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Marks runs as failed whose process on this machine does not exist any more. Returns their ids."""
    unfinished = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    runs = instance.get_runs(dg.RunsFilter(tags={HOST_TAG: socket.gethostname()}, statuses=unfinished))
    dead = [run for run in runs if not _is_alive(int(run.tags[PROCESS_TAG]))]
    for run in dead:
        instance.report_run_failed(run, f"Process {run.tags[PROCESS_TAG]}, which executed this run, is gone.")
    return [run.run_id for run in dead]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
