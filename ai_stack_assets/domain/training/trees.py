"""Boosted trees (LightGBM) as the tasks use them: repeatable, stopped by the validation set, kept as text. No features here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import lightgbm as lgb
    import numpy as np

SAY_EVERY = 50


def tree_parameters(parameters: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """In LightGBM's words; what makes a fit repeatable is among them."""
    return {
        "learning_rate": parameters["learning_rate"],
        "num_leaves": parameters["leaves"],
        "min_data_in_leaf": parameters["least_rows"],
        "feature_fraction": parameters["feature_share"],
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


def boosted(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    settings: dict[str, Any],
    *,
    rounds: int,
    categories: int,
    progress: Callable[[str], None],
    patience: int = 60,
    weights: np.ndarray | None = None,
) -> Any:
    """LightGBM's booster, stopped where the validation set is told best. The first `categories` columns are such; `weights`: of
    the rows to learn from."""
    import lightgbm as lgb

    options: dict[str, Any] = {"categorical_feature": list(range(categories)), "free_raw_data": True}
    # few rows: leaves as large as asked for would be none at all
    settings["min_data_in_leaf"] = min(settings["min_data_in_leaf"], max(1, len(train[1]) // 20))
    data = lgb.Dataset(*train, weight=weights, **options)
    seen = lgb.Dataset(*validation, reference=data, **options)

    def say(env: Any) -> None:
        if (env.iteration + 1) % SAY_EVERY == 0:
            _, metric, value, _ = env.evaluation_result_list[0][:4]
            progress(f"round {env.iteration + 1}: validation {metric} {value:.4f}")

    stop = lgb.early_stopping(patience, verbose=False)
    trees = lgb.train(settings, data, rounds, [seen], ["validation"], callbacks=[say, stop])
    progress(f"{trees.best_iteration} rounds are best")
    # only the rounds that are used: smaller, and the same when loaded
    return lgb.Booster(model_str=trees.model_to_string(num_iteration=trees.best_iteration))


def read_trees(file: Path) -> lgb.Booster:
    """Raises PermanentError when LightGBM's text is damaged."""
    import lightgbm as lgb

    try:
        text = file.read_text("utf-8")
        # LightGBM ends the process on some cut texts: it is asked only about whole ones
        if "end of trees" not in text or "end of parameters" not in text:
            raise ValueError("it ends too early")
        return lgb.Booster(model_str=text)
    except (OSError, ValueError, lgb.basic.LightGBMError) as error:
        raise PermanentError(f"{file} is damaged ({error}): fit the model again") from error
