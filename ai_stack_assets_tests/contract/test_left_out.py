"""What a machine cannot test is skipped with a reason that is told at the end of the run; never passed, never silent."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ai_stack_assets_tests import conftest, servers
from ai_stack_assets_tests.browser import conftest as browser
from ai_stack_assets_tests.faults import test_disk

SKIPPED, FAILED = pytest.skip.Exception, pytest.fail.Exception


@pytest.mark.parametrize("start", [servers.postgres, servers.neo4j, servers.elasticsearch])
def test_no_server_is_started_where_none_is_wanted(start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SERVERS", "0")
    with pytest.raises(SKIPPED, match=r"NOT TESTED.*TEST_SERVERS=0"), start():
        pass


@pytest.mark.parametrize(("ci", "outcome"), [("true", FAILED), ("", SKIPPED)])
def test_without_chromium_ci_fails_and_a_desk_is_told(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "CHROMIUM", None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="NOT TESTED: the web interface"):
        browser.require_chromium()


def test_where_no_disk_can_be_mounted_a_full_one_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = subprocess.CompletedProcess([], 32, "", "mount: permission denied")
    monkeypatch.setattr(test_disk.subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(SKIPPED, match=r"NOT TESTED.*permission denied"), test_disk.disk(tmp_path / "disk", 1):
        pass


def test_the_reasons_are_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    class Report:
        longrepr = ("file", 1, "Skipped: NOT TESTED: this")

    class Terminal:
        def __init__(self) -> None:
            self.stats = {"skipped": [Report(), Report()]}

        def write_line(self, line: str, **_: bool) -> None:
            print(line)

    conftest.pytest_terminal_summary(Terminal())  # ty: ignore[invalid-argument-type]
    assert capsys.readouterr().out.count("NOT TESTED: this") == 1
