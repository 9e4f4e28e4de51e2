"""Two rankings as one: scores of the vectors and of BM25, each in deviations from its mean over the pool, added by weight.

The weight is chosen on validation, never on test.
"""

from __future__ import annotations

import numpy as np

from ai_stack_assets.domain.training.embeddings import ranking

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Of BM25, beside 1 of the vectors: those that are tried."""


def combined(vectors: np.ndarray, bm25: np.ndarray, share: float) -> np.ndarray:
    """Scores [questions, answers] of both together. What is -inf, and so left out, stays so."""
    return standardised(vectors) + share * standardised(bm25) if share else standardised(vectors)


def standardised(scores: np.ndarray) -> np.ndarray:
    """Each row to mean 0 and deviation 1 over what is finite; a row of equal scores to zeros."""
    known = np.where(np.isfinite(scores), scores, np.nan)
    deviation = np.nanstd(known, axis=1, keepdims=True)
    moved = scores - np.nanmean(known, axis=1, keepdims=True)
    return moved / np.where(deviation > 0, deviation, 1)


def best_share(vectors: np.ndarray, bm25: np.ndarray) -> float:
    """The share with the highest MRR@10 on these (validation) pools, the first column being right; the smallest of equals."""
    found = [ranking.reciprocal(ranking.ranks(combined(vectors, bm25, share))).mean() for share in SHARES]
    return SHARES[int(np.argmax(found))]
