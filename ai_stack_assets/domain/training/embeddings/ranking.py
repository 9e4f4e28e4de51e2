"""How good a ranking is: each question against the method it belongs to and 1,000 others drawn at random. No models here.

Others whose description is the same are left out: no ranking could tell which of them was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ai_stack_assets.domain.training.contract import Evaluation
from ai_stack_assets.domain.training.embeddings import examples
from ai_stack_assets.domain.training.evaluation.slices import COLUMNS, slices

if TYPE_CHECKING:
    import pyarrow as pa

DISTRACTORS = 1_000
TOP = 10
Scores = Callable[[np.ndarray], np.ndarray]
"""Numbers of questions → float [questions, rows]: how well each row answers. Asked for in parts, to bound the memory."""
_PART = 256


@dataclass(frozen=True)
class Pool:
    """Questions of a table and what each is looked for among: `asked` [q] rows, `others` [q, n] rows, `is_same` [q, n]."""

    asked: np.ndarray
    others: np.ndarray
    is_same: np.ndarray

    @classmethod
    def of(cls, rows: pa.Table, seed: int, distractors: int = DISTRACTORS) -> Pool:
        asked, total = examples.asked(rows), rows.num_rows
        random = np.random.default_rng(seed)
        size = min(distractors, total - 1)
        others = np.empty((len(asked), size), np.int64)
        for place, row in enumerate(asked):
            drawn = random.choice(total - 1, size, replace=False)
            others[place] = drawn + (drawn >= row)
        same = examples.labels(rows[examples.QUERY])
        return cls(asked, others, same[others] == same[asked][:, None])

    def pick(self, scores: np.ndarray, part: slice = slice(None)) -> np.ndarray:
        """Of scores [q, rows] those in the pool, the right answer first: [q, 1 + n]; what is left out is -inf."""
        right = np.take_along_axis(scores, self.asked[part, None], 1)
        others = np.take_along_axis(scores, self.others[part], 1)
        return np.hstack([right, np.where(self.is_same[part], -np.inf, others)])

    def picked(self, scores: Scores) -> np.ndarray:
        """The same, of all questions."""
        starts = range(0, len(self.asked), _PART)
        parts = [slice(start, min(start + _PART, len(self.asked))) for start in starts]
        return np.vstack([self.pick(scores(np.arange(p.start, p.stop)), p) for p in parts])


def ranks(picked: np.ndarray) -> np.ndarray:
    """Of the first column, from 1; a tie counts half."""
    right, others = picked[:, :1], picked[:, 1:]
    return 1 + (others > right).sum(1) + 0.5 * (others == right).sum(1)


def reciprocal(rank: np.ndarray) -> np.ndarray:
    """1 / rank, 0 below the tenth: its mean is MRR@10."""
    return np.where(rank <= TOP, 1 / rank, 0.0)


def evaluation(picked: np.ndarray, rows: pa.Table, asked: np.ndarray) -> Evaluation:
    """Args: picked: as `Pool.picked` gives it. rows, asked: the table, and its rows that the questions are of."""
    rank = ranks(picked)
    value = reciprocal(rank)
    metrics = {
        "mrr_at_10": float(value.mean()),
        "recall_at_1": float((rank <= 1).mean()),
        "recall_at_10": float((rank <= TOP).mean()),
        "median_rank": float(np.median(rank)),
    }

    def score(sample: np.ndarray) -> float:
        return float(value[sample].mean())

    questions = rows.select(COLUMNS).take(asked)
    return Evaluation(metrics, score, len(rank), slices(questions, "mrr_at_10", score))
