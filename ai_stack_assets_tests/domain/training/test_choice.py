"""Which models are trained for which drift."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.training import choice, tasks

ALL = set(tasks.NAMES)


def trained(level: str, champions: set[str] = ALL, off: tuple[str, ...] = ()) -> set[str]:
    found = dict.fromkeys(champions, (level, "words"))
    return {name for name, each in choice.choose(found, champions, off).items() if each.is_trained}


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
    found = {"regressor": ("none", "nothing moved")}
    chosen = choice.choose(found, {"regressor", "change_risk"}, ("classifier",))
    assert chosen["regressor"].reason == "drift is none: nothing moved"
    assert chosen["classifier"].reason == "switched off in training.yaml"
    assert chosen["embeddings"].reason == "there is no champion yet"
    assert chosen["change_risk"].reason == "nobody knows any more what the champion was trained for"


def test_each_model_is_chosen_by_the_drift_since_its_own_champion() -> None:
    found = {"classifier": ("none", "nothing moved"), "regressor": ("medium", "new words")}
    chosen = choice.choose(found, set(found))
    assert not chosen["classifier"].is_trained and chosen["regressor"].is_trained
