import dataclasses

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.evaluation.cost import Cost
from ai_stack_assets.domain.training.evaluation.gates import Decision, Limits, decide

LIMITS = Limits(target=0.8, slice_margin=0.05, latency_ms=10, rows_per_second=1_000, size_mb=50)
CHEAP = Cost(latency_ms=1, rows_per_second=5_000, size_mb=10)


def evaluation(accuracy: float, rows: int = 1_000, **slices: tuple[float, int]) -> Evaluation:
    """The first so many examples are right."""
    right = np.arange(rows) < round(accuracy * rows)
    return Evaluation(
        metrics={"accuracy": accuracy, "recall": accuracy / 2},
        score=lambda sample: float(right[sample].mean()),
        rows=rows,
        slices={name: {"accuracy": value, "rows": count} for name, (value, count) in slices.items()},
    )


def decided(value, champion=None, limits=LIMITS, **options) -> Decision:
    options = {"metric": "accuracy", "cost": CHEAP, **options}
    return decide(evaluation(value), champion and evaluation(champion), limits, **options)


def failed(decision: Decision) -> list[str]:
    return [gate.name for gate in decision.failed]


def test_the_first_model_that_is_good_enough_goes_to_production():
    decision = decided(0.78)

    assert (decision.outcome, failed(decision)) == ("production", [])
    assert "there is no champion yet" in decision.reason


def test_production_begins_at_95_percent_of_the_target_and_staging_at_85():
    limits = Limits(target=1.0)

    assert [decided(v, limits=limits).outcome for v in (0.95, 0.949, 0.85)] == [
        "production",
        "staging",
        "staging",
    ]
    assert decided(0.849, limits=limits).outcome == "retrain"


def test_below_staging_other_parameters_are_searched_for_and_then_a_person_is_asked():
    assert decided(0.5).outcome == "retrain"
    last = decided(0.5, is_searched=True)
    assert last.outcome == "investigate"
    assert "a search found no better parameters" in last.reason
    assert decided(0.96, is_searched=True).outcome == "production"


def test_a_better_model_replaces_the_champion():
    decision = decided(0.85, champion=0.8, against="3")

    assert (decision.outcome, decision.against, decision.champion_value) == ("production", "3", 0.8)
    assert 0 < decision.comparison.low < 0.05 < decision.comparison.high


@pytest.mark.parametrize("value", [0.802, 0.8, 0.78])
def test_a_model_that_is_not_surely_better_does_not(value):
    decision = decided(value, champion=0.8)

    assert (decision.outcome, failed(decision)) == ("staging", ["better than the champion"])


def test_a_slice_that_lost_too_much_keeps_it_from_production_and_is_named():
    old = evaluation(0.8, форма=(0.8, 300), общий=(0.7, 700), редкий=(0.9, 40))
    new = evaluation(0.9, форма=(0.7, 300), общий=(0.98, 700), редкий=(0.1, 40))

    decision = decide(new, old, LIMITS, metric="accuracy", cost=CHEAP)

    assert (decision.outcome, failed(decision)) == ("staging", ["no slice worse"])
    assert "1 of 2 slices" in decision.reason
    assert "форма -0.1000" in decision.reason


def test_a_model_that_does_not_beat_a_baseline_is_looked_into():
    baselines = {"size only": evaluation(0.81), "majority": evaluation(0.2)}

    decision = decided(0.8, baselines=baselines)

    assert (decision.outcome, failed(decision)) == ("investigate", ["beats size only"])


@pytest.mark.parametrize(
    ("cost", "gate"),
    [
        (dataclasses.replace(CHEAP, latency_ms=11), "latency_ms"),
        (dataclasses.replace(CHEAP, rows_per_second=999), "rows_per_second"),
        (dataclasses.replace(CHEAP, size_mb=51), "size_mb"),
    ],
)
def test_a_model_that_costs_too_much_stays_in_staging(cost, gate):
    decision = decided(0.9, cost=cost)

    assert (decision.outcome, failed(decision)) == ("staging", [gate])


def test_another_metric_can_have_a_minimum():
    decision = decided(0.8, limits=dataclasses.replace(LIMITS, minimums={"recall": 0.45}))

    assert (decision.outcome, failed(decision)) == ("staging", ["minimum recall"])


def test_a_minimum_of_what_no_example_asks_for_holds_and_a_misspelt_one_is_named():
    limits = dataclasses.replace(LIMITS, minimums={"context_accuracy": 0.85})

    unasked = decided(0.8, limits=limits, may_lack=("context_accuracy",))

    assert (unasked.outcome, failed(unasked)) == ("production", [])
    assert "context_accuracy was not measured" in unasked.reason
    with pytest.raises(PermanentError, match=r"no metric 'context_accuracy': accuracy, recall"):
        decided(0.8, limits=limits)


def test_a_metric_that_is_not_a_number_is_never_good_enough():
    broken = dataclasses.replace(evaluation(0.9), metrics={"accuracy": float("nan")})

    decision = decide(broken, evaluation(0.8), LIMITS, metric="accuracy", cost=CHEAP)

    assert (decision.outcome, decision.value) == ("investigate", None)
    assert "better than the champion" in failed(decision)
    assert Decision.from_json(decision.as_json()) == decision


def test_evaluations_of_different_test_sets_are_not_compared():
    with pytest.raises(PermanentError, match="different examples: 1000 and 900 rows"):
        decide(evaluation(0.9), evaluation(0.8, rows=900), LIMITS, metric="accuracy")


def test_a_missing_metric_is_named():
    with pytest.raises(PermanentError, match="evaluation of the model has no metric 'f1'"):
        decide(evaluation(0.9), None, LIMITS, metric="f1")


def test_a_decision_survives_json():
    decision = decided(0.85, champion=0.8, baselines={"majority": evaluation(0.2)}, against="3")

    assert Decision.from_json(decision.as_json()) == decision


@pytest.mark.parametrize("wrong", [{"staging": 0.99}, {"target": 0}, {"confidence": 1}, {"resamples": 3}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(PermanentError, match="limits of training"):
        Limits(**{"target": 0.8, **wrong})
