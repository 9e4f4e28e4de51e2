"""What the other methods of a module say of one: a module of thin wrappers, or of parsers, is simpler or more complex as a whole.

Only where their code is there: their residuals are looked at, never the method's own. So `expected` does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.training.regressor.header import MODULE, modules

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

COLUMNS = (*MODULE, "cyclomatic")
CHOICES = (2.0, 5.0, 10.0, 20.0, 50.0, 200.0)


def around(rows: pa.Table, residual: np.ndarray, shrinkage: float) -> np.ndarray:
    """Per row the mean residual of the other rows of its module, as if `shrinkage` more had none (0 where it is alone)."""
    import numpy as np

    module = modules(rows)
    sums, counts = np.bincount(module, residual), np.bincount(module)
    return (sums[module] - residual) / (counts[module] - 1 + shrinkage)


def chosen(rows: pa.Table, residual: np.ndarray) -> float:
    """The shrinkage that leaves the least of the residuals of these rows, which no model was fitted on."""
    import numpy as np

    left = [float(np.square(residual - around(rows, residual, choice)).mean()) for choice in CHOICES]
    return CHOICES[int(np.argmin(left))]
