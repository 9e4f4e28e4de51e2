"""A store put back to the state of yesterday: the next run writes what has changed since, and no more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ai_stack_assets_tests import servers
from ai_stack_assets_tests.faults.conftest import options
from ai_stack_assets_tests.faults.lake import OLD, version
from ai_stack_assets_tests.faults.stores import SERVERS, Subject


def _copy(source: Path, target: Path) -> None:
    """With owners, links and all; the target is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _counts(subject: Subject, modules: int) -> list[int]:
    report = subject.sync(version(subject.lake, OLD, subject.configuration, modules=modules))
    assert report.differences == []
    return [report.total(what) for what in ("added", "changed", "removed")]


def test_an_embedded_store_of_yesterday_is_repaired_by_the_difference(embedded: Subject) -> None:
    _counts(embedded, 40)
    folder, backup = Path(embedded.folder) / embedded.engine, Path(embedded.folder) / "backup"
    _copy(folder, backup)
    today = _counts(embedded, 41)
    assert 20 <= today[0] < 120 and today[2] == 0
    _stop(embedded)
    _copy(backup, folder)
    assert _counts(embedded, 41) == today
    assert _counts(embedded, 41) == [0, 0, 0]


def _stop(subject: Subject) -> None:
    if subject.engine == "postgres":
        pid = int((Path(subject.folder) / "postgres" / "postmaster.pid").read_text().split()[0])
        import psutil

        process = psutil.Process(pid)
        process.kill()
        process.wait(30)


@pytest.mark.parametrize("engine", SERVERS)
def test_a_server_of_yesterday_is_repaired_by_the_difference(engine: str, tmp_path: Path) -> None:
    with getattr(servers, engine.removesuffix("_server"))() as server:
        subject = Subject(engine, str(tmp_path), options(engine, server))
        _counts(subject, 40)
        server.kill()
        backup = server.folder.with_name(f"{server.folder.name}-backup")
        try:
            _copy(server.folder, backup)
            server.start()
            today = _counts(subject, 41)
            server.kill()
            _copy(backup, server.folder)
        finally:
            shutil.rmtree(backup, ignore_errors=True)
        server.start()
        assert _counts(subject, 41) == today
        assert _counts(subject, 41) == [0, 0, 0]
