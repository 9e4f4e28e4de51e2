"""Where training starts: which terms are known, how rare each is, and vectors of terms from latent semantic analysis.

Deerwester et al., 1990; randomised as in Halko, Martinsson, Tropp, 2011. A random start, and two towers of their own, were worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.embeddings import examples
from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower, Weights, weighted

if TYPE_CHECKING:
    import pyarrow as pa
    import scipy.sparse as sp

OVERSAMPLING = 32
ITERATIONS = 3
FIELD_WEIGHTS = (1.0, 0.5, 0.2, 1.0)
"""Of question, name, parameters, code. Each field is of length 1, so a name of three words weighs half of a body of 300."""


def start(train: pa.Table, size: int, least: int, seed: int) -> TwoTower:
    """The model before the first step: TF-IDF by fields, seen through the SVD.

    Args:
        least: rows that a term has to be in, to be known.

    Raises:
        PermanentError: no term is in that many rows.
    """
    import scipy.sparse as sp

    known = examples.vocabulary([train["code_terms"], train[examples.QUERY]], least)
    if not len(known):
        raise PermanentError(
            f"no term is in {least} of {train.num_rows} methods: there is too little code to learn from"
        )
    bags = {name: examples.counts(train[name], known) for name in (*examples.FIELDS, examples.QUERY)}
    with_term = np.bincount((bags["code_terms"] + bags[examples.QUERY]).tocsr().indices, minlength=len(known))
    idf = (np.log((1 + train.num_rows) / (1 + with_term)) + 1).astype(np.float32)
    asked = examples.asked(train)
    texts = [
        weighted(bags["code_terms"], idf),
        weighted(bags["name_terms"], idf),
        weighted(bags[examples.QUERY][asked], idf),
    ]
    terms = components(sp.vstack(texts, "csr"), size, seed)
    fields = np.repeat(np.array(FIELD_WEIGHTS, np.float32)[:, None], len(known), 1)
    return TwoTower(known, idf, Weights(terms, fields))


def components(matrix: sp.csr_matrix, size: int, seed: int) -> np.ndarray:
    """Right singular vectors, float32 [columns, size], by subspace iteration."""
    size = min(size, *matrix.shape)
    width = min(size + OVERSAMPLING, *matrix.shape)
    transposed = matrix.T.tocsr()
    basis = np.random.default_rng(seed).normal(size=(matrix.shape[1], width)).astype(np.float32)
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(transposed @ (matrix @ basis))[0]
    image = (matrix @ basis).astype(np.float64)
    _, rotation = np.linalg.eigh(image.T @ image)
    return np.ascontiguousarray(basis @ rotation[:, ::-1][:, :size], np.float32)
