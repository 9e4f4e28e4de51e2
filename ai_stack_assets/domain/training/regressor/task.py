"""Task `regressor`: how complex a method may be expected to be, by its name, parameters and comment and by what else its module
declares. Complexity beyond that is what a reviewer should look at.

The logarithm of the cyclomatic complexity is the target: complexities are spread over orders of magnitude, and what counts is by
how many times a method is more complex than others like it. The code itself is never read (see `header`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Evaluation, Sets
from ai_stack_assets.domain.training.regressor.model import ALONE, Regressor
from ai_stack_assets.domain.training.regressor.model import load as load_model

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "regressor"
METRIC = "r2_by_family"
"""R² in which no family of modules counts for more than 5 % of the methods: see `measures.LARGEST`. `r2` is the plain one."""
CODE_VERSION = "3"
TARGET = "target"
"""log(1 + cyclomatic)."""
REQUIREMENTS = ("lightgbm", "msgspec", "numpy", "pyarrow", "PyStemmer", "scipy")
PARAMETERS: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "leaves": 31,
    "least_rows": 40,
    "feature_share": 0.4,
    "rounds": 1000,
    "ridge_alpha": 10.0,
    "least_methods": 3,
    "family_balance": 0.0,
    "with_place": True,
}
"""`least_methods`: that a word has to be in. `least_rows`: of a leaf. `family_balance`: 0 counts all methods the same, 1 all
families of modules. `with_place`: look at module type, kind and name of the object, directive, and the headers of the module's
other methods, too: not of the header, but known before the code is written."""
CARD: Mapping[str, str] = {
    "purpose": "Says how complex a method with this name, these parameters and this comment usually is in a module"
    " like this. The residual, real minus"
    " expected, orders methods for review: what is far more complex than its purpose suggests is a candidate for splitting.",
    "target": "Logarithm of 1 + cyclomatic complexity (as bsl-language-server counts it). It is computed from the code, so labels"
    " cost nothing; predicting it from the code would be computing again, so the code is never read.",
    "limits": "Asked about one method without the others of its module it knows less (`r2_alone`); `r2_in_module` is what it"
    " knows where the complexity of those is known. The gate looks at `r2_by_family`, in which no family of modules"
    " counts for more than 5 % of the methods; that was decided after one family of a test set had decided plain R²,"
    " which is `r2`. Names explain a part of complexity only: use it for ordering, not as a limit for a single"
    " method. Conventions of naming differ between vendors: in a configuration unlike those of training, look at the"
    " metric of its slice first.",
}


def prepare(rows: pa.Table) -> pa.Table:
    """Methods (no samples of articles), with the target.

    Raises:
        PermanentError: there is none, a complexity is not known, or all are equally complex.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if rows["cyclomatic"].null_count or pc.any(pc.less(rows["cyclomatic"], 1)).as_py():
        raise PermanentError("cyclomatic is null or below 1 in some rows: compute the features anew")
    examples = rows.filter(pc.not_equal(rows["signature"], ""))
    if not examples.num_rows:
        raise PermanentError(f"none of {rows.num_rows} rows is a method: add configurations or repositories")
    target = np.log1p(examples["cyclomatic"].to_numpy().astype(float))
    if np.ptp(target) == 0:
        raise PermanentError(
            f"all {len(target)} methods have a complexity of {examples['cyclomatic'][0]}: there is nothing to learn, add"
            " configurations"
        )
    return examples.append_column(TARGET, pa.array(target))


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[str], None] = print,
) -> Regressor:
    """See `fitting`."""
    from ai_stack_assets.domain.training.regressor import fitting
    from ai_stack_assets.domain.training.validation_rules import require_rows

    require_rows(sets, "the regressor", "add configurations or repositories")
    settings = {**PARAMETERS, **parameters}
    return fitting.fit(sets.train, sets.validation, settings, seed=seed, progress=progress)


load = load_model


def evaluate(model: Regressor, examples: pa.Table, *, seed: int) -> Evaluation:
    """`r2_alone`: of one method at a time. `r2_in_module`: where the code of the module's other methods is known, too."""
    from ai_stack_assets.domain.training.regressor import measures

    expected = model.expected(examples)
    return measures.evaluation(
        expected,
        examples,
        alone=model.expected(examples, ALONE),
        in_module=model.in_module(examples, expected),
    )


def baselines(sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
    """`mean`; `number of parameters`: the mean of methods with as many; `words alone`: one ridge on the header's words."""
    import numpy as np

    from ai_stack_assets.domain.training.regressor import fitting, measures

    y = sets.train[TARGET].to_numpy()
    asked, learned = (np.minimum(t["parameter_count"].to_numpy(), 10) for t in (examples, sets.train))
    # ten methods' worth of the overall mean: few have ten parameters
    sums, counts = np.bincount(learned, y, 11), np.bincount(learned, minlength=11)
    by_count = (sums + 10 * y.mean()) / (counts + 10)
    return {
        "mean": measures.evaluation(np.full(examples.num_rows, y.mean()), examples),
        "number of parameters": measures.evaluation(by_count[asked], examples),
        "words alone": measures.evaluation(fitting.words_alone(sets.train, examples, PARAMETERS), examples),
    }


def search_space(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        "leaves": trial.suggest_int("leaves", 7, 63, log=True),
        "least_rows": trial.suggest_int("least_rows", 20, 200, log=True),
        "feature_share": trial.suggest_float("feature_share", 0.2, 0.8),
        "ridge_alpha": trial.suggest_float("ridge_alpha", 3, 40, log=True),
        "family_balance": trial.suggest_float("family_balance", 0, 1),
    }
