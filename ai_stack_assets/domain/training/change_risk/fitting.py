"""How change risk is fitted: on earlier years, stopped where the next year is ordered best. Seeded; same rows, same trees.

A fit takes seconds, so an interrupted one begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training.change_risk.columns import LABEL, SNAPSHOT
from ai_stack_assets.domain.training.change_risk.model import (
    CATEGORIES,
    COLUMNS,
    FALLING,
    HUNDREDTHS,
    RISING,
    Blend,
    ChangeRisk,
    matrix,
    sizes_of,
    values,
    words,
)
from ai_stack_assets.domain.training.regressor.fitting import FOLDS, solved
from ai_stack_assets.domain.training.regressor.terms import Terms
from ai_stack_assets.domain.training.trees import boosted, tree_parameters
from ai_stack_assets.domain.training.validation_rules import require_finite

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def fit(
    train: pa.Table,
    validation: pa.Table,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    progress: Callable[[str], None],
) -> ChangeRisk:
    """Raises PermanentError when a feature of the code is null or not finite."""
    import numpy as np

    for name, rows in (("train", train), ("validation", validation)):
        require_finite(rows, f"the {name} set of change risk")
    categories = {name: sorted(set(values(train, name))) for name in CATEGORIES}
    terms, weights, names = _names(train, parameters)
    names_seen = terms.matrix(words(validation)) @ weights
    sizes, sizes_seen = sizes_of(train), sizes_of(validation)
    trees, blends, scale = {}, {}, {}
    for name in COLUMNS:
        progress(f"trees {name.replace('_', ' ')}")
        x, seen = matrix(train, name, categories, names), matrix(validation, name, categories, names_seen)
        y, y_seen = (rows[LABEL].to_numpy(zero_copy_only=False).astype(float) for rows in (train, validation))
        trees[name] = boosted(
            (x, y),
            (seen, y_seen),
            {
                "objective": "binary",
                "metric": "auc",
                "monotone_constraints": [(c in RISING) - (c in FALLING) for c in COLUMNS[name]],
                **tree_parameters(parameters, seed),
            },
            rounds=parameters["rounds"],
            categories=len(CATEGORIES),
            progress=progress,
        )
        said, said_seen = (np.asarray(trees[name].predict(some, raw_score=True)) for some in (x, seen))
        blends[name] = blended(said, sizes, said_seen, sizes_seen, y_seen)
        risks = blends[name].risk(said_seen, sizes_seen)
        scale[name] = np.quantile(risks, np.linspace(0, 1, HUNDREDTHS)).tolist()
    return ChangeRisk(categories, terms, weights, trees, blends, scale)


def blended(
    said: np.ndarray, sizes: np.ndarray, said_seen: np.ndarray, sizes_seen: np.ndarray, y_seen: np.ndarray
) -> Blend:
    """Trees and size by their spread in the rows to learn from; `…_seen`: of the rows that probabilities are fitted to.

    How much each counts is not fitted: a year tells of itself. It was decided on two years before those of the benchmark, where
    equal parts were above size alone, and trees alone below it.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    of_trees, of_size = (1 / (float(np.std(values)) or 1.0) for values in (said, sizes))
    both = of_trees * said_seen + of_size * sizes_seen
    fitted = LogisticRegression(C=1e3).fit(both[:, None], y_seen)
    # the order is what counts: it stays even when a year contradicts it
    slope = max(float(fitted.coef_[0, 0]), 0.01)
    return Blend(slope * of_trees, slope * of_size, float(fitted.intercept_[0]), float(np.mean(sizes)))


def _names(rows: pa.Table, parameters: Mapping[str, Any]) -> tuple[Terms, np.ndarray, np.ndarray]:
    """Vocabulary of names, weights of their words, and what the words say of each row by the other years (of one year alone: by
    other modules)."""
    import numpy as np
    from sklearn.model_selection import GroupKFold

    lists = words(rows)
    terms = Terms.fit(lists, parameters["least_methods"])
    found = terms.matrix(lists)
    years, year = np.unique(rows[SNAPSHOT].to_numpy(zero_copy_only=False), return_inverse=True)
    y = rows[LABEL].to_numpy(zero_copy_only=False).astype(float)
    # a year in which much changed says nothing of names
    y -= (np.bincount(year, y) / np.bincount(year))[year]
    modules = rows["module"].to_numpy(zero_copy_only=False)
    groups = year if len(years) > 1 else np.unique(modules, return_inverse=True)[1]
    said, ones, alpha = np.zeros(len(y)), np.ones(len(y)), parameters["ridge_alpha"]
    folds = min(FOLDS, len(set(groups.tolist())))
    for learned, asked in GroupKFold(folds).split(y, groups=groups) if folds > 1 else ():
        weights, _ = solved(found[learned], y[learned], ones[learned], alpha)
        said[asked] = found[asked] @ weights
    return terms, solved(found, y, ones, alpha)[0], said
