from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from ai_stack_assets.domain.training.embeddings import examples, hybrid, ranking, step
from ai_stack_assets.domain.training.embeddings.bm25 import Bm25
from ai_stack_assets.domain.training.embeddings.two_tower import Weights


def test_bm25_scores_as_its_formula_says() -> None:
    index = Bm25(sp.csr_matrix(np.array([[2, 0, 1], [0, 1, 1], [0, 0, 4]], np.float32)))
    scores = index.scores(sp.csr_matrix(np.array([[3, 0, 1]], np.float32)))
    rare, common = np.log1p(2.5 / 1.5), np.log1p(0.5 / 3.5)
    mean = 3.0

    def saturated(count: float, length: float) -> float:
        return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))

    expected = [
        rare * saturated(2, 3) + common * saturated(1, 3),
        common * saturated(1, 2),
        common * saturated(4, 4),
    ]
    assert scores[0] == pytest.approx(expected, rel=1e-5)


def test_a_rank_counts_better_answers_and_half_of_equal_ones() -> None:
    assert ranking.ranks(np.array([[0.5, 0.7, 0.5, 0.1]])).tolist() == [2.5]
    assert ranking.reciprocal(np.array([1.0, 4.0, 10.0, 11.0])).tolist() == [1, 0.25, 0.1, 0]


def test_who_has_the_same_description_is_left_out_of_the_pool() -> None:
    rows = pa.table({examples.QUERY: [["курс"], ["курс"], [], ["цена"]]})
    pool = ranking.Pool.of(rows, seed=1)
    assert pool.asked.tolist() == [0, 1, 3]
    picked = pool.picked(lambda part: np.tile(np.arange(4.0), (len(part), 1)))
    assert picked.shape == (3, 4)
    assert np.isinf(picked).sum(1).tolist() == [1, 1, 0]
    assert picked[:, 0].tolist() == [0, 1, 3]


def test_pools_are_the_same_for_the_same_seed_and_never_hold_the_answer_twice() -> None:
    rows = pa.table({examples.QUERY: [[str(i)] for i in range(50)]})
    one, two, other = (ranking.Pool.of(rows, seed=s, distractors=20) for s in (1, 1, 2))
    assert (one.others == two.others).all()
    assert not (one.others == other.others).all()
    assert not (one.others == one.asked[:, None]).any()


def test_the_hybrid_weighs_deviations_and_keeps_out_what_was_left_out() -> None:
    vectors, text = np.array([[0.9, 0.1, -np.inf]]), np.array([[10.0, 30.0, -np.inf]])
    assert hybrid.combined(vectors, text, 1.0)[0].tolist() == [0, 0, -np.inf]
    assert hybrid.combined(vectors, text, 0.5)[0, 0] > 0
    assert hybrid.combined(np.zeros((1, 2)), np.zeros((1, 2)), 1.0)[0].tolist() == [0, 0]


def test_the_share_of_bm25_is_the_one_that_ranks_best() -> None:
    right, wrong = np.array([[1.0, 0.0, 0.5]]), np.array([[0.0, 1.0, 0.5]])
    assert hybrid.best_share(right, wrong) == 0
    assert hybrid.best_share(np.array([[0.5, 0.6, 0.0]]), right) > 0


def test_gradients_are_those_of_the_loss() -> None:
    random = np.random.default_rng(1)
    bags = [sp.random(6, 9, 0.5, "csr", np.float32, random_state=i) for i in range(4)]
    labels = np.array([0, 1, 2, 2, 3, 4])
    terms = random.normal(size=(9, 5))
    fields = random.uniform(0.5, 1.5, (4, 9))
    _, by_terms, by_fields = step.gradients(bags, labels, terms, fields, 0.5)
    for weights, gradient in ((terms, by_terms), (fields, by_fields)):
        for place in [(0, 0), (1, 3), (3, 4)]:
            moved = []
            for sign in (1, -1):
                kept = weights[place]
                weights[place] = kept + sign * 1e-3
                moved.append(step.gradients(bags, labels, terms, fields, 0.5)[0])
                weights[place] = kept
            assert gradient[place] == pytest.approx((moved[0] - moved[1]) / 2e-3, rel=0.05, abs=2e-4)


def test_workers_of_a_group_go_on_from_their_mean() -> None:
    class Pair:
        """Two workers, of whom the other one has only ones."""

        def mean(self, array: np.ndarray) -> np.ndarray:
            return (array + 1) / 2

    adam = step.Adam.of(Weights(np.full((2, 3), 3.0, np.float32), np.full((4, 2), 5.0, np.float32)))
    adam.average(Pair())
    assert (adam.weights.terms == 2).all() and (adam.weights.fields == 3).all()
    assert (adam.first.terms == 0.5).all() and (adam.second.fields == 0.5).all()
