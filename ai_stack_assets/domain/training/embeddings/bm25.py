"""BM25 over lists of terms: what full-text search does, and what a learned model has to beat. Nothing is learned here.

Robertson, Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the idf of Lucene, which is never negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse as sp

K1, B = 1.2, 0.75
"""As Elasticsearch and tantivy have them."""


class Bm25:
    """Documents ready to be searched."""

    def __init__(self, counts: sp.csr_matrix, k1: float = K1, b: float = B) -> None:
        """Args: counts: how often each document has each term, [documents, terms]."""
        documents = counts.shape[0]
        lengths = np.asarray(counts.sum(1)).ravel()
        with_term = np.bincount(counts.indices, minlength=counts.shape[1])
        self.idf = np.log1p((documents - with_term + 0.5) / (with_term + 0.5)).astype(np.float32)
        weights = counts.copy()
        row = np.repeat(np.arange(documents), np.diff(counts.indptr))
        room = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        weights.data = (counts.data * (k1 + 1) / (counts.data + room[row])).astype(np.float32)
        self._by_term = weights.T.tocsr()

    def scores(self, queries: sp.csr_matrix) -> np.ndarray:
        """Float32 [queries, documents]; a term counts once, however often it is asked for."""
        asked = queries.copy()
        asked.data = self.idf[asked.indices]
        return (asked @ self._by_term).toarray()
