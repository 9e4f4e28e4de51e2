import numpy as np
import pytest
from sklearn.metrics import f1_score

from ai_stack_assets.domain.training.classifier import measures


def test_macro_f1_is_that_of_the_classes_among_the_truth():
    random = np.random.default_rng(1)
    truth, found = random.integers(0, 6, 200), random.integers(0, 9, 200)

    expected = f1_score(truth, found, average="macro", labels=np.unique(truth))
    assert measures.macro_f1(truth, found, 9) == pytest.approx(expected)


def test_a_class_that_is_only_found_does_not_count_by_itself():
    assert measures.quality(["а", "а"], ["а", "б"]) == {"accuracy": 0.5, "macro_f1": pytest.approx(2 / 3)}


def test_nothing_has_no_quality():
    assert np.isnan(measures.quality([], [])["macro_f1"])


def test_scores_that_are_as_often_right_as_they_say_have_no_calibration_error():
    score, is_right = np.full(10, 0.75), np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 0.5])

    assert measures.calibration_error(score, is_right) == pytest.approx(0)
    assert measures.calibration_error(np.ones(4), np.zeros(4)) == 1
