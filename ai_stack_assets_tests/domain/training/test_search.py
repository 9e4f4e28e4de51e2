"""Search for parameters: the defaults first, better ones when there are any, an end in time, the test set unseen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.search import Search, search


class Parabola:
    """A task whose metric is highest at x = 3."""

    NAME, METRIC, CODE_VERSION = "parabola", "height", "1"
    PARAMETERS: ClassVar = {"x": 0.0, "depth": 1}

    def __init__(self, fails_above: float = 100) -> None:
        self.fails_above = fails_above
        self.fitted: list[dict[str, Any]] = []
        self.judged: list[Any] = []

    def fit(self, sets: Any, parameters: dict[str, Any], *, seed: int, progress: Any) -> float:
        self.fitted.append(parameters)
        if parameters["x"] > self.fails_above:
            raise PermanentError("too far")
        return parameters["x"]

    def evaluate(self, model: float, examples: Any, *, seed: int) -> SimpleNamespace:
        self.judged.append(examples)
        return SimpleNamespace(metrics={"height": -((model - 3) ** 2)})

    def search_space(self, trial: Any) -> dict[str, Any]:
        return {"x": trial.suggest_float("x", -10, 10)}


SETS = SimpleNamespace(train="train", validation="validation", test="test")


def run(task: Parabola, **options: Any) -> Search:
    given: dict[str, Any] = {"minutes": 5, "seed": 7, "trials": 15, "progress": lambda _: None, **options}
    return search(task, SETS, given.pop("fixed", None), **given)  # type: ignore[arg-type]


def test_the_first_trial_has_the_defaults_and_the_best_is_no_worse() -> None:
    found = run(Parabola())
    assert dict(found.trials[0].parameters) == Parabola.PARAMETERS
    assert found.value > found.trials[0].value == -9
    assert found.parameters["depth"] == 1


def test_equal_arguments_give_equal_parameters() -> None:
    assert run(Parabola()).facts()["parameters"] == run(Parabola()).facts()["parameters"]


def test_only_the_validation_set_is_looked_at() -> None:
    task = Parabola()
    run(task, trials=3)
    assert set(task.judged) == {"validation"}


def test_what_is_fixed_is_not_searched() -> None:
    found = run(Parabola(), fixed={"x": 1.5}, trials=3)
    assert {trial.parameters["x"] for trial in found.trials} == {1.5}


def test_without_time_the_defaults_are_tried_all_the_same() -> None:
    found = run(Parabola(), minutes=0, trials=None)
    assert len(found.trials) == 1
    assert found.value == -9


def test_a_trial_that_fails_is_told_and_the_search_goes_on() -> None:
    said: list[str] = []
    found = run(Parabola(fails_above=0.0), progress=said.append)
    failed = [trial for trial in found.trials if trial.value is None]
    assert failed and "too far" in failed[0].note
    assert any("too far" in line for line in said)
    assert found.parameters["x"] <= 0


def test_when_every_trial_fails_the_reason_is_told() -> None:
    with pytest.raises(PermanentError, match=r"none of 2 trials gave a number \(.*too far"):
        run(Parabola(fails_above=-100), trials=2)


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    run(Parabola(), trials=4, storage=storage)
    second = Parabola()
    found = run(second, trials=6, storage=storage)
    assert len(found.trials) == 6
    assert len(second.fitted) == 2
