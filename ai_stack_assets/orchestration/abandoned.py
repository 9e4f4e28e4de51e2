"""Runs whose process is gone: nobody else would end them, and they would hold up their configuration's queue.

Dagster watches the runs that its daemon has launched; those of the command line carry their process in tags.
"""

from __future__ import annotations

import os
import socket
import uuid

import dagster as dg

from ai_stack_assets.domain.common.processes import is_alive

PROCESS_TAG = "process"


def process_tag() -> str:
    """Value of PROCESS_TAG for a run that this process executes: host, process, a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


def end_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Marks runs as failed whose process on this machine does not exist any more. Returns their ids."""
    unfinished = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    dead = [run for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)) if _is_abandoned(run)]
    for run in dead:
        instance.report_run_failed(run, f"Process {run.tags[PROCESS_TAG]}, which executed this run, is gone.")
    return [run.run_id for run in dead]


def _is_abandoned(run: dg.DagsterRun) -> bool:
    host, _, process = run.tags.get(PROCESS_TAG, "").rpartition(":")[0].rpartition(":")
    return host == socket.gethostname() and not is_alive(int(process))
