"""Whether a process is alive: by those that run, have ended, have not been waited for, and may not be looked at."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from ai_stack_assets.domain.common.processes import is_alive


def test_a_process_that_runs_is_alive() -> None:
    assert is_alive(os.getpid())


def test_one_that_has_ended_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not is_alive(process.pid)


def test_one_that_was_killed_and_not_waited_for_is_not() -> None:
    process = subprocess.Popen(["sleep", "60"])
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.pid_exists(process.pid) and not is_alive(process.pid)
    process.wait()


def test_one_of_another_user_that_may_not_be_looked_at_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: psutil.Process) -> str:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert is_alive(os.getpid())


@pytest.mark.parametrize("pid", [-1, 2**31 - 1, 2**70])
def test_a_number_that_no_process_has_is_not_alive(pid: int) -> None:
    assert not is_alive(pid)
