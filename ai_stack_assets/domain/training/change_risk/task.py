"""Task `change_risk`: how probable it is that a method is changed or removed within 12 months. Made for a review queue.

Examples are yearly states of the past (`examples`), split by time. A year changes more or less than another, so risks order
methods; they are no forecast of how many will change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.change_risk.columns import LABEL, PAST
from ai_stack_assets.domain.training.change_risk.model import ChangeRisk
from ai_stack_assets.domain.training.change_risk.model import load as load_model
from ai_stack_assets.domain.training.contract import Evaluation, Sets

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "change_risk"
METRIC = "auc"
CODE_VERSION = "3"
REQUIREMENTS = ("lightgbm", "msgspec", "numpy", "pyarrow", "PyStemmer", "scipy")
PARAMETERS: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "leaves": 15,
    "least_rows": 200,
    "feature_share": 0.5,
    "rounds": 300,
    "least_methods": 10,
    "ridge_alpha": 30.0,
}
"""`least_rows`: of a leaf. `least_methods`: that a word of a name has to be in; `ridge_alpha`: of the regression on words."""
CARD: Mapping[str, str] = {
    "purpose": "Orders methods by the risk that they are changed or removed within 12 months: a review queue, and for a"
    " configuration that was customised the places where the next upgrade will collide.",
    "target": "Whether the method's source changed, or the method was gone, within 365 days after a state of the past, by the"
    " configuration's git history. Features know what was there when that day ended, and nothing of later.",
    "limits": "Size alone is nearly as good (see the baselines), so it makes up half of the risk. How much changes differs from"
    " year to year: the order means something, the probability does not. A method of a module that is new to the model"
    " is judged by its code alone.",
}


def prepare(rows: pa.Table) -> pa.Table:
    """Rows that have a past and a label, as `examples` makes them.

    Raises:
        PermanentError: there are none (today's code has no label), or all or none of them changed.
    """
    import pyarrow.compute as pc

    if missing := [name for name in (*PAST, LABEL) if name not in rows.schema.names]:
        raise PermanentError(
            f"rows without {', '.join(missing)} are no examples of change risk: they come from the history of a configuration"
            " (change_risk.examples), not from the dataset's splits"
        )
    shares = pc.mean(rows[LABEL]).as_py()
    if shares in (None, 0, 1):
        what = {None: "there are no rows", 0: "none of the methods changed", 1: "all of the methods changed"}
        raise PermanentError(
            f"{what[shares]}: there is nothing to learn, load more years of history (python -m ai_stack_assets history)"
        )
    return rows


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] = print,
) -> ChangeRisk:
    """See `fitting`."""
    from ai_stack_assets.domain.training.change_risk import fitting
    from ai_stack_assets.domain.training.validation_rules import require_rows

    require_rows(sets, "change risk", "load more years of history")
    for rows in (sets.train, sets.validation):
        prepare(rows)
    settings = {**PARAMETERS, **parameters}
    return fitting.fit(sets.train, sets.validation, settings, seed=seed, progress=progress)


load = load_model


def evaluate(model: ChangeRisk, examples: pa.Table, *, seed: int) -> Evaluation:
    from ai_stack_assets.domain.training.change_risk import measures

    return measures.evaluation(model.risk(examples, model.which(examples)), examples)


def baselines(sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
    """`size only`: the longest first. `changed before`: what changed most often, then what changed last."""
    import numpy as np

    from ai_stack_assets.domain.training.change_risk import measures

    size = examples[measures.SIZE].to_numpy().astype(float)
    changes = examples["changes_36m"].to_numpy().astype(float)
    since = np.nan_to_num(examples["days_since_change"].to_numpy().astype(float), nan=1e6)
    return {
        "size only": measures.evaluation(size, examples),
        "changed before": measures.evaluation(changes - since / 1e7, examples),
    }


def search_space(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        "leaves": trial.suggest_int("leaves", 7, 31, log=True),
        "least_rows": trial.suggest_int("least_rows", 50, 800, log=True),
        "feature_share": trial.suggest_float("feature_share", 0.3, 0.9),
    }
