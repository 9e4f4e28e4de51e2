"""Asking the stores from the command line, after a real run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_stack_assets_tests.platform import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ask(tmp_path_factory) -> Callable[..., subprocess.CompletedProcess]:
    folder: Path = tmp_path_factory.mktemp("asking")
    environment = {
        **os.environ,
        "AI_STACK_ASSETS_DATA": str(folder / "data"),
        "AI_STACK_ASSETS_CONFIGURATIONS": str(folder / "configurations.yaml"),
    }

    def command(*arguments: str) -> subprocess.CompletedProcess:
        whole = [sys.executable, "-m", "ai_stack_assets", *arguments]
        return subprocess.run(
            whole, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )

    made = command("run")
    assert made.returncode == 0, made.stdout
    return command


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("search", "общего назначения", "CommonModule.ОбщегоНазначения"),
        ("search", "ОбщегоНазначения", "CommonModule.ОбщегоНазначения"),
        ("tables", None, "methods"),
        ("callers", None, "CommonModule."),
        ("similar", "цена номенклатуры", ".Module."),
        ("find", "цена номенклатуры", ".Module."),
    ],
)
def test_each_store_answers(ask, question, text, answer):
    done = ask("query", question, "demo", *([text] if text else []))
    assert done.returncode == 0, done.stdout
    assert answer in done.stdout


def test_a_configuration_that_is_not_there_is_named_with_those_that_are(ask):
    done = ask("query", "tables", "nowhere")
    assert done.returncode == 1
    assert "no configuration 'nowhere' in the lake; there are: demo" in done.stdout


def test_rows_stand_in_columns_under_their_names(ask):
    head, *rows = ask("query", "tables", "demo").stdout.splitlines()
    assert head.split()[:2] == ["table", "estimated_rows"]
    assert {row.index(row.split()[1]) for row in rows} == {head.index("estimated_rows")}


def test_a_method_that_is_not_there_is_told_from_one_that_nobody_calls(ask):
    done = ask("query", "callers", "demo", "НетТакого")
    assert done.returncode == 1 and "demo has no method 'НетТакого'" in done.stdout
    done = ask("query", "callers", "demo", "ПриСозданииНаСервере")
    assert done.returncode == 0 and "Nothing found." in done.stdout
