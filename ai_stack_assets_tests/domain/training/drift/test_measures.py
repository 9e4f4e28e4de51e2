"""What moved and what did not: indices that are 0 for the same, large for another, and quiet about chance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.drift import embedding, measures, vocabulary
from ai_stack_assets.domain.training.drift.measures import Histogram

RANDOM = np.random.default_rng(1)


def index(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    return measures.psi(measures.histogram(reference, current))


def test_psi_is_the_sum_over_bins_of_the_difference_times_the_log_ratio() -> None:
    value, _ = measures.psi(Histogram(("a", "b"), (50_000, 50_000), (80_000, 20_000)))
    assert value == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4), rel=1e-3)


def test_the_same_numbers_have_no_drift() -> None:
    numbers = RANDOM.normal(size=1000)
    assert index(numbers, numbers)[0] == 0
    assert measures.ks(numbers, numbers)[0] == 0


def test_a_shift_is_seen_by_both() -> None:
    first, second = RANDOM.normal(size=2000), RANDOM.normal(1, size=2000)
    assert index(first, second)[0] > 0.25
    assert measures.ks(first, second)[0] > 0.2
    assert index(first, second)[1] < 1e-6


def test_a_large_index_of_few_rows_is_told_to_be_chance() -> None:
    found = [index(RANDOM.normal(size=60), RANDOM.normal(size=60)) for _ in range(50)]
    assert max(value for value, _ in found) > 0.25
    assert np.mean([p < 0.01 for _, p in found]) <= 0.06


def test_counts_with_few_values_keep_their_bins() -> None:
    histogram = measures.histogram(np.repeat([0.0, 1.0, 2.0], 100), np.repeat([0.0, 1.0, 5.0], 100))
    assert sum(histogram.reference) == sum(histogram.current) == 300
    assert histogram.labels == ("< 0", "0", "0–1", "1", "1–2", "2", "> 2")


def test_a_constant_feature_that_stays_constant_has_not_moved() -> None:
    assert index(np.ones(100), np.ones(100))[0] == 0


def test_a_constant_feature_that_begins_to_vary_has_moved() -> None:
    assert index(np.zeros(500), np.arange(500.0))[0] > 0.25


def test_a_count_that_is_mostly_zero_is_watched_above_zero_too() -> None:
    rare, often = (np.arange(1000) % every == 0 for every in (50, 5))
    assert measures.histogram(rare.astype(float), often.astype(float)).labels == ("< 0", "0", "> 0")
    assert index(rare.astype(float), often.astype(float))[0] > 0.25


def test_unknown_values_are_a_bin_of_their_own() -> None:
    numbers = RANDOM.normal(size=500)
    holed = np.where(np.arange(500) < 200, np.nan, numbers)
    histogram = measures.histogram(numbers, holed)
    assert histogram.labels[-1] == "unknown"
    assert (histogram.reference[-1], histogram.current[-1]) == (0, 200)
    assert index(numbers, holed)[0] > 0.25


def test_only_unknown_values_are_no_error() -> None:
    nothing = np.full(300, np.nan)
    assert index(nothing, nothing)[0] == 0
    assert measures.ks(nothing, nothing) == (0.0, 1.0)


def test_rare_categories_are_counted_together() -> None:
    histogram = measures.categories([str(n) for n in range(100)] * 2, ["1"] * 200)
    assert len(histogram.labels) == 21
    assert histogram.labels[-1] == measures.OTHER
    assert sum(histogram.reference) == sum(histogram.current) == 200


def test_vectors_of_the_same_origin_are_within_chance() -> None:
    found = embedding.compare(
        RANDOM.normal(size=(400, 8)), RANDOM.normal(size=(300, 8)), name="test", rows=1000, seed=1
    )
    assert found.rows == 300
    assert found.p > 0.01
    assert found.mmd < 0.1


def test_vectors_that_moved_are_seen() -> None:
    found = embedding.compare(
        RANDOM.normal(size=(300, 8)), RANDOM.normal(1, size=(300, 8)), name="test", rows=1000, seed=1
    )
    assert found.p == 0
    assert found.mean_shift == pytest.approx(1, abs=0.15)
    assert found.mmd > 0.2


def test_vectors_with_the_same_mean_and_another_spread_are_seen() -> None:
    found = embedding.compare(
        RANDOM.normal(size=(300, 4)), 3 * RANDOM.normal(size=(300, 4)), name="test", rows=1000, seed=1
    )
    assert found.p == 0


def test_vectors_of_different_length_are_refused() -> None:
    with pytest.raises(PermanentError, match="cannot be compared"):
        embedding.compare(np.zeros((5, 2)), np.zeros((5, 3)), name="test", rows=10, seed=1)


def test_divergence_is_one_for_words_that_nothing_shares_and_zero_for_the_same() -> None:
    assert vocabulary.divergence(np.array([5.0, 0]), np.array([0, 9.0])) == pytest.approx(1)
    assert vocabulary.divergence(np.array([5.0, 5]), np.array([1.0, 1])) == pytest.approx(0)
    assert vocabulary.divergence(np.zeros(2), np.array([1.0, 1])) == 0


def test_new_words_are_counted_and_named() -> None:
    def column(*texts: str) -> pa.ChunkedArray:
        return pa.chunked_array([[text.split() for text in texts]])

    found = vocabulary.compare(column("цен скидк", "товар цен"), column("цен вебсокет вебсокет"), seed=1)
    assert found.new_share == pytest.approx(2 / 3)
    assert found.new_terms == {"вебсокет": 2}
    assert next(iter(found.grown)) == "вебсокет"
