"""Which models are trained for which drift."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.training import choice, tasks

ALL = set(tasks.NAMES)


def trained(level: str, champions: set[str] = ALL, off: tuple[str, ...] = ()) -> set[str]:
    return {name for name, each in choice.choose(level, "words", champions, off).items() if each.is_trained}


@pytest.mark.parametrize(
    ("level", "names"),
    [("high", ALL), ("medium", {"classifier", "regressor", "change_risk"}), ("none", set())],
)
def test_more_drift_trains_more_models(level: str, names: set[str]) -> None:
    assert trained(level) == names


def test_a_model_that_there_is_none_of_is_trained_whatever_the_drift() -> None:
    assert trained("none", ALL - {"embeddings"}) == {"embeddings"}


def test_what_is_switched_off_is_never_trained() -> None:
    assert "regressor" not in trained("high", set(), off=("regressor",))


def test_every_choice_says_why() -> None:
    chosen = choice.choose("none", "nothing moved", {"regressor"}, ("classifier",))
    assert chosen["regressor"].reason == "drift is none: nothing moved"
    assert chosen["classifier"].reason == "switched off in training.yaml"
    assert chosen["embeddings"].reason == "there is no champion yet"
