"""A task whose fit is data-parallel both ways: a line by gradient descent, trees by LightGBM."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import distributed
from ai_stack_assets.domain.training.contract import Sets

NAME, METRIC, CODE_VERSION, DATA_PARALLEL = "shared", "r2", "1", True
PARAMETERS = {"trees": False, "steps": 200}


class Line:
    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def save(self, folder: Path) -> None:
        (folder / "line.json").write_text(json.dumps(self.facts))


def examples(rows: int = 999) -> Sets:
    random = np.random.default_rng(1)
    x = random.normal(size=rows)
    table = pa.table({"x": x, "y": 3 * x + 1 + 0.1 * random.normal(size=rows)})
    return Sets(table, table, table)


def load(folder: Path) -> Line:
    return Line(json.loads((folder / "line.json").read_text()))


def fit(
    sets: Sets, parameters: Any, *, seed: int, checkpoint: Path | None = None, progress: Any = print
) -> Line:
    group = distributed.current()
    rows = group.share(np.arange(sets.train.num_rows))
    x, y = (sets.train[name].to_numpy()[rows] for name in ("x", "y"))
    if parameters.get("fails"):
        raise PermanentError("the target is constant")
    progress(f"{len(rows)} rows, {group.size} workers")
    facts = {"rows": len(rows), "size": group.size, "threads": 0}
    if parameters["trees"]:
        import lightgbm as lgb

        options = {"objective": "l2", "verbose": -1, "seed": seed, **group.lightgbm()}
        trees = lgb.train(options, lgb.Dataset(x[:, None], y), 20)
        said = trees.predict(np.array([[-1.0], [1.0]]))
        return Line({**facts, "said": said.tolist()})
    weights = np.zeros(2)
    for _ in range(parameters["steps"]):
        error = weights[0] * x + weights[1] - y
        weights -= 0.1 * group.mean(np.array([(error * x).mean(), error.mean()]))
    return Line({**facts, "said": [weights[1] - weights[0], weights[1] + weights[0]]})
