"""How the regressor is fitted: ridges on the words, each judged on families it has not seen, then trees on what they said.

Seeded and single-minded: same rows, parameters and seed give the same model, to the last bit with the same number of threads
and within 1e-6 otherwise. A fit takes seconds, so an interrupted one begins anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.regressor import neighbours
from ai_stack_assets.domain.training.regressor.header import (
    DOC,
    NAME,
    PARAMETERS,
    PLACE,
    TYPES,
    headers,
)
from ai_stack_assets.domain.training.regressor.model import (
    ALONE,
    IN_MODULE,
    Inputs,
    Reader,
    Regressor,
    Ridge,
    stacked,
)
from ai_stack_assets.domain.training.trees import boosted, tree_parameters

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import scipy.sparse as sp

COMBINATIONS = (
    (NAME,),
    (PARAMETERS,),
    (NAME, PARAMETERS),
    (DOC, TYPES),
    (PLACE,),
    (NAME, PARAMETERS, DOC, TYPES, PLACE),
)
"""Blocks of words that each ridge reads."""
FOLDS = 5
OBJECTIVE = {"objective": "l2", "metric": "rmse", "extra_trees": True}


def fit(
    train: pa.Table,
    validation: pa.Table,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    progress: Callable[[str], None],
) -> Regressor:
    """Raises PermanentError when there are fewer families than are needed to judge the ridges on."""
    import numpy as np

    reader = Reader.fit(headers(train), parameters["least_methods"], with_place=parameters["with_place"])
    inputs, seen = reader.read(train), reader.read(validation)
    y, y_seen = train["target"].to_numpy(), validation["target"].to_numpy()
    families = train["family"].to_pylist()
    folds, weights = _folds(families), family_balance(families, parameters["family_balance"])
    ridges, said = [], []
    for blocks in filter(None, (tuple(b for b in some if b in reader.terms) for some in COMBINATIONS)):
        ridge, out_of_fold = _ridge(inputs, blocks, y, weights, folds, parameters["ridge_alpha"])
        ridges.append(ridge)
        said.append(out_of_fold)
        error = np.sqrt(np.mean((ridge.predict(seen.words) - y_seen) ** 2))
        progress(f"ridge on {', '.join(blocks)}: validation error {error:.4f}")
    said_there, trees = [ridge.predict(seen.words) for ridge in ridges], {}
    for name in (IN_MODULE, ALONE) if reader.categories else (ALONE,):
        learned, asked = inputs.known(name), seen.known(name)
        if not (learned.any() and asked.any()):
            continue
        progress(f"trees {name.replace('_', ' ')}")
        trees[name] = boosted(
            (stacked(inputs, said, name)[learned], y[learned]),
            (stacked(seen, said_there, name)[asked], y_seen[asked]),
            OBJECTIVE | tree_parameters(parameters, seed),
            rounds=parameters["rounds"],
            categories=len(reader.categories),
            progress=progress,
            weights=weights[learned],
        )
    fitted = Regressor(reader, ridges, trees, neighbours.CHOICES[0])
    return replace(fitted, shrinkage=neighbours.chosen(validation, y_seen - fitted.expected(validation)))


def words_alone(train: pa.Table, asked: pa.Table, parameters: Mapping[str, Any]) -> np.ndarray:
    """What one ridge regression on the words of name, parameters and comment expects: the baseline."""
    import numpy as np
    import scipy.sparse as sp

    reader = Reader.fit(headers(train), parameters["least_methods"], with_place=False)
    words = sp.hstack(list(reader.read(train).words.values())).tocsr()
    y = train["target"].to_numpy()
    weights, intercept = solved(words, y, np.ones(len(y)), parameters["ridge_alpha"])
    return sp.hstack(list(reader.read(asked).words.values())).tocsr() @ weights + intercept


def _folds(families: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import GroupKFold

    count = min(FOLDS, len(set(families)))
    if count < 2:
        raise PermanentError(
            "all methods to learn from are of one family of modules, two are needed: add configurations"
        )
    return list(GroupKFold(count).split(families, groups=families))


def family_balance(families: Sequence[str], balance: float) -> np.ndarray:
    """Of methods, by the size of their families: 0 gives all the same, 1 gives all families the same. Their mean is 1."""
    import numpy as np

    sizes = Counter(families)
    weights = np.array([sizes[family] for family in families], float) ** -balance
    return weights / weights.mean()


def _ridge(
    inputs: Inputs,
    blocks: Sequence[str],
    y: np.ndarray,
    row_weights: np.ndarray,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    alpha: float,
) -> tuple[Ridge, np.ndarray]:
    """The regression on all rows, and what regressions on other families say of each row."""
    import numpy as np
    import scipy.sparse as sp

    matrix = sp.hstack([inputs.words[block] for block in blocks]).tocsr()
    said = np.empty(len(y))
    for learned, asked in folds:
        weights, intercept = solved(matrix[learned], y[learned], row_weights[learned], alpha)
        said[asked] = matrix[asked] @ weights + intercept
    weights, intercept = solved(matrix, y, row_weights, alpha)
    return Ridge(tuple(blocks), weights, intercept), said


def solved(
    matrix: sp.csr_matrix, y: np.ndarray, row_weights: np.ndarray, alpha: float
) -> tuple[np.ndarray, float]:
    """Weights [columns] and intercept of a ridge regression."""
    import numpy as np
    from sklearn.linear_model import Ridge as Solver

    if not matrix.shape[1]:
        return np.zeros(0, np.float32), float(np.average(y, weights=row_weights))
    solver = Solver(alpha=alpha, solver="lsqr", tol=1e-3).fit(matrix, y, row_weights)
    return solver.coef_.astype(np.float32), float(solver.intercept_)
