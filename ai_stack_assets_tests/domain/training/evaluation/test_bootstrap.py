import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.evaluation.bootstrap import compare


def of(values) -> Evaluation:
    values = np.asarray(values, dtype=float)
    return Evaluation({"mean": values.mean()}, lambda sample: float(values[sample].mean()), len(values))


def test_the_interval_of_a_mean_is_the_one_that_theory_gives():
    random = np.random.default_rng(1)
    difference = random.normal(0.1, 1.0, 2_000)
    other = random.normal(0, 5, 2_000)

    found = compare(of(other + difference), of(other), resamples=4_000)

    half = 1.96 * difference.std() / np.sqrt(2_000)
    assert found.difference == pytest.approx(difference.mean())
    assert found.low == pytest.approx(difference.mean() - half, abs=0.004)
    assert found.high == pytest.approx(difference.mean() + half, abs=0.004)


def test_it_is_paired_so_what_both_find_hard_does_not_count():
    hard = np.random.default_rng(2).normal(0, 100, 500)

    found = compare(of(hard + 1), of(hard))

    assert found.low == pytest.approx(1)
    assert found.high == pytest.approx(1)


def test_equal_arguments_give_equal_numbers_and_another_seed_gives_others():
    first, second = of(np.arange(50) % 7), of(np.arange(50) % 5)

    assert compare(first, second) == compare(first, second)
    assert compare(first, second) != compare(first, second, seed=1)


def test_a_model_is_not_better_than_itself():
    same = of(np.arange(50))

    found = compare(same, same)

    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_resamples_without_a_score_are_left_out():
    rare = np.zeros(10)
    rare[0] = 1

    def score(sample):
        return float("nan") if not rare[sample].any() else 1.0

    found = compare(Evaluation({}, score, 10), of(np.zeros(10)))

    assert (found.low, found.high) == (1, 1)
    with pytest.raises(PermanentError, match="no resample of 10 examples can be scored"):
        compare(Evaluation({}, lambda _: float("nan"), 10), of(np.zeros(10)))


def test_an_empty_test_set_is_refused():
    with pytest.raises(PermanentError, match="the test set is empty"):
        compare(Evaluation({}, lambda _: 0.0, 0), Evaluation({}, lambda _: 0.0, 0))
