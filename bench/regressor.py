"""Expected complexity on one real configuration: families of modules kept together, several splits, beside its baselines.

python -m bench.regressor /path/to/sources [--splits 3] [--probe]

`--probe`: also LightGBM on 100 components of the words, the recipe that the goal was set by.

What a split gives depends on which families it holds out, so means over splits are shown with their deviation. The splits are
seeded; a split holds out 15 % of the methods to stop at and 15 % as the test, no family larger than 5 % among them.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.training.contract import Evaluation, Sets
from ai_stack_assets.domain.training.features import compute, sources
from ai_stack_assets.domain.training.regressor import header, measures, task
from ai_stack_assets.domain.training.regressor.terms import Terms

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FIRST_SEED = 10
"""Settings were chosen on the validation families of splits 0 to 3."""
HELD_OUT, LARGEST = 0.15, 0.05
METRICS = ("r2", "spearman", "r2_by_family", "spearman_by_family", "mae", "r2_alone", "r2_in_module")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--probe", action="store_true")
    options = parser.parse_args()
    rows = examples(options.source)
    found: dict[str, list[Evaluation]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + options.splits):
        for name, evaluation in judged(split(rows, seed), seed, probe=options.probe):
            found.setdefault(name, []).append(evaluation)
            numbers = "  ".join(
                f"{m} {evaluation.metrics[m]:.3f}" for m in METRICS if m in evaluation.metrics
            )
            print(f"split {seed}, {evaluation.rows:,} methods  {name:36} {numbers}", flush=True)
    print(f"\n{options.splits} splits: mean ± deviation")
    for name, evaluations in found.items():
        print(
            f"  {name:36} {'  '.join(_summary(evaluations, metric) for metric in METRICS if metric in evaluations[0].metrics)}"
        )
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def examples(source: str) -> pa.Table:
    """Distinct methods of a configuration, with features and target."""
    import numpy as np
    import pyarrow as pa

    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        extract("measured", source, lake, Path(folder) / "cache")
        records = pa.concat_tables(sources.ConfigurationRecords(lake.require("measured")).batches())
    _, first = np.unique(records["content_hash"].to_numpy(zero_copy_only=False), return_index=True)
    start = time.process_time()
    rows = task.prepare(compute.compute(records.take(np.sort(first))))
    print(f"{rows.num_rows:,} distinct methods, features in {time.process_time() - start:.1f} s of CPU")
    return rows


def split(rows: pa.Table, seed: int) -> Sets:
    """Families in random order: to test, then to validation, while there is room."""
    import numpy as np

    families = np.array(rows["family"].to_pylist())
    sizes = Counter(families.tolist())
    names = np.array(sorted(sizes))
    np.random.default_rng(seed).shuffle(names)
    side, filled = {}, {"test": 0, "validation": 0}
    for name in names.tolist():
        small = sizes[name] < LARGEST * rows.num_rows
        side[name] = next((s for s, n in filled.items() if small and n < HELD_OUT * rows.num_rows), "train")
        if side[name] != "train":
            filled[side[name]] += sizes[name]
    sides = np.array([side[name] for name in families])
    return Sets(**{s: rows.filter(sides == s) for s in ("train", "validation", "test")})


def judged(sets: Sets, seed: int, *, probe: bool) -> Iterator[tuple[str, Evaluation]]:
    yield from task.baselines(sets, sets.test, seed=seed).items()
    if probe:
        yield "LightGBM on SVD-100 of the words", measures.evaluation(svd_100(sets), sets.test)
    for name, with_place in (("model, header alone", False), ("model", True)):
        cpu = time.process_time()
        parameters = {**task.PARAMETERS, "with_place": with_place}
        model = task.fit(sets, parameters, seed=seed, progress=lambda _: None)
        yield name, task.evaluate(model, sets.test, seed=seed)
        print(f"  fit and evaluation: {time.process_time() - cpu:.1f} s of CPU")


def svd_100(sets: Sets) -> np.ndarray:
    """The recipe of the goal: boosted trees on components of the words of name, parameters and comment."""
    import lightgbm as lgb
    import numpy as np
    import scipy.sparse as sp
    from sklearn.decomposition import TruncatedSVD

    found = {name: header.headers(getattr(sets, name)) for name in ("train", "validation", "test")}
    words = {
        n: [h.words("name") + h.words("parameters") + h.words("doc") for h in hs] for n, hs in found.items()
    }
    terms = Terms.fit(words["train"], 3)
    matrices: dict[str, sp.csr_matrix] = {name: terms.matrix(lists) for name, lists in words.items()}
    svd = TruncatedSVD(100, random_state=0).fit(matrices["train"])
    parts = {name: svd.transform(matrix) for name, matrix in matrices.items()}
    data = lgb.Dataset(parts["train"], sets.train["target"].to_numpy())
    seen = lgb.Dataset(parts["validation"], sets.validation["target"].to_numpy(), reference=data)
    settings = {"objective": "l2", "learning_rate": 0.05, "seed": 0, "verbose": -1}
    trees = lgb.train(settings, data, 1000, [seen], callbacks=[lgb.early_stopping(60, verbose=False)])
    return np.asarray(trees.predict(parts["test"]))


def _summary(evaluations: list[Evaluation], metric: str) -> str:
    import numpy as np

    values = [evaluation.metrics[metric] for evaluation in evaluations]
    return f"{metric} {np.mean(values):.3f} ± {np.std(values):.3f}"


if __name__ == "__main__":
    main()
