"""How change risk is fitted: on earlier years, stopped where the next year is ordered best. Seeded; same rows, same trees.

A fit takes seconds, so an interrupted one begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training.change_risk.columns import LABEL
from ai_stack_assets.domain.training.change_risk.model import (
    CATEGORIES,
    COLUMNS,
    HUNDREDTHS,
    ChangeRisk,
    matrix,
    values,
)
from ai_stack_assets.domain.training.trees import boosted, tree_parameters
from ai_stack_assets.domain.training.validation_rules import require_finite

if TYPE_CHECKING:
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
    trees, scale = {}, {}
    for name in COLUMNS:
        progress(f"trees {name.replace('_', ' ')}")
        x, seen = (matrix(rows, name, categories) for rows in (train, validation))
        y, y_seen = (rows[LABEL].to_numpy(zero_copy_only=False).astype(float) for rows in (train, validation))
        trees[name] = boosted(
            (x, y),
            (seen, y_seen),
            {"objective": "binary", "metric": "auc", **tree_parameters(parameters, seed)},
            rounds=parameters["rounds"],
            categories=len(CATEGORIES),
            progress=progress,
        )
        risks = np.asarray(trees[name].predict(seen))
        scale[name] = np.quantile(risks, np.linspace(0, 1, HUNDREDTHS)).tolist()
    return ChangeRisk(categories, trees, scale)
