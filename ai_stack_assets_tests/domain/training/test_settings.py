"""training.yaml: what is asked of each model; a wrong key is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.settings import LIMITS, load
from ai_stack_assets_tests.platform import PROJECT


def written(folder: Path, text: str) -> Path:
    file = folder / "training.yaml"
    file.write_text(text)
    return file


def test_the_file_that_comes_along_says_what_the_defaults_are() -> None:
    settings = load(PROJECT / "training.yaml")
    assert {name: settings.limits(name) for name in LIMITS} == LIMITS


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path / "training.yaml")
    assert settings.limits("classifier").target == 0.64 and settings.task("classifier").is_on


def test_what_is_given_for_one_model_leaves_the_others(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "tasks: {regressor: {limits: {target: 0.5}, parameters: {trees: 10}}}"))
    assert settings.limits("regressor").target == 0.5 and settings.task("regressor").parameters == {
        "trees": 10
    }
    assert settings.limits("embeddings") == LIMITS["embeddings"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: {regresor: {}}", "no task 'regresor'"),
        ("tasks: {regressor: {limit: {target: 1}}}", "did you mean 'limits'"),
        ("retention: {week: 3}", "did you mean 'weeks'"),
        ("seed: first", "int"),
        ("threads: -1", "0 or more"),
        ("tasks: {regressor: {limits: {target: -1}}}", "target > 0"),
        ("password: secret", "environment"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        load(written(tmp_path, text))
