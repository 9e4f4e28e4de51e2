"""The task `embeddings`, as `contract.Task` asks: from a question in words to the method that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training.contract import Evaluation, Progress, Sets
from ai_stack_assets.domain.training.embeddings import devices, hybrid, ranking
from ai_stack_assets.domain.training.embeddings import examples as fields
from ai_stack_assets.domain.training.embeddings import fit as fitting
from ai_stack_assets.domain.training.embeddings.start import start
from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NAME = "embeddings"
METRIC = "mrr_at_10"
CODE_VERSION = "1"
REQUIREMENTS = ("numpy", "scipy", "pyarrow", "PyStemmer", "msgspec", "xxhash")
PARAMETERS: Mapping[str, Any] = {
    "size": 256,
    "least_rows": 5,
    "steps": 800,
    "batch": 512,
    "rate": 1e-3,
    "field_rate": 5e-3,
    "temperature": 0.1,
    "dropout": 0.2,
    "name_share": 0.4,
    "validate_every": 50,
    "patience": 6,
    devices.PARAMETER: "auto",
}
HYBRID = "hybrid_mrr_at_10"
DATA_PARALLEL = True
CARD: Mapping[str, str] = {
    "purpose": "Finds the method that answers a question in words: its vectors fill the vector store, and together with full text"
    " they are the search by meaning.",
    "target": "The description in a method's comment is the question, the method without its comment the answer, among itself and"
    " 1,000 others drawn at random. MRR@10 is the mean of 1 / rank, 0 below the tenth. Methods of the same description are left"
    " out of each other's pools; descriptions of fewer than five words, or that only refer to other methods, are no questions.",
    "limits": "People who search do not write as people who document: expect less of short or colloquial questions. Words that"
    " neither code nor comments of the training set had are not known. Among all methods of a large configuration, not 1,000,"
    " ranks are lower.",
}

prepare = fields.prepare


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress = print,
) -> TwoTower:
    """Raises PermanentError when there is nothing to learn from, or too little."""
    from ai_stack_assets.domain.training.validation_rules import require_rows

    require_rows(sets, "the embeddings", "add configurations or repositories")
    return fitting.fit(
        sets, {**PARAMETERS, **parameters}, seed=seed, checkpoint=checkpoint, progress=progress
    )


def load(folder: Path) -> TwoTower:
    return TwoTower.load(folder)


def evaluate(model: TwoTower, examples: pa.Table, *, seed: int) -> Evaluation:
    """Of the vectors alone; what they reach together with BM25 is among the metrics."""
    found = scored(model, examples, seed=seed)
    own, both = found["two-tower"], found["hybrid"]
    extra = {f"hybrid_{name}": value for name, value in both.metrics.items()}
    return replace(own, metrics={**own.metrics, **extra}, pictures={"Side by side": table(found)})


def scored(model: TwoTower, rows: pa.Table, *, seed: int) -> dict[str, Evaluation]:
    """`two-tower`, `BM25` and `hybrid` on the same questions and pools."""
    pool = ranking.Pool.of(rows, seed)
    vectors = _vector_scores(model, rows, pool)
    text = pool.picked(fitting.text_scores(rows, pool.asked))
    both = hybrid.combined(vectors, text, model.share)
    scores = {"two-tower": vectors, "BM25": text, "hybrid": both}
    return {name: ranking.evaluation(each, rows, pool.asked) for name, each in scores.items()}


def baselines(sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
    """BM25, and the model before its first step: latent semantic analysis."""
    pool = ranking.Pool.of(examples, seed)
    lsa = start(sets.train, PARAMETERS["size"], PARAMETERS["least_rows"], seed)
    scores = {
        "BM25": pool.picked(fitting.text_scores(examples, pool.asked)),
        "LSA": _vector_scores(lsa, examples, pool),
    }
    return {name: ranking.evaluation(each, examples, pool.asked) for name, each in scores.items()}


def search_space(trial: Any) -> dict[str, Any]:
    return {
        "size": trial.suggest_categorical("size", [128, 256, 384]),
        "rate": trial.suggest_float("rate", 3e-4, 3e-3, log=True),
        "field_rate": trial.suggest_float("field_rate", 1e-3, 2e-2, log=True),
        "temperature": trial.suggest_float("temperature", 0.03, 0.12, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
        "name_share": trial.suggest_float("name_share", 0.0, 0.5),
    }


def table(found: Mapping[str, Evaluation]) -> str:
    """Models side by side, in markdown."""
    shown = ("mrr_at_10", "recall_at_1", "recall_at_10", "median_rank")
    lines = [f"| | {' | '.join(shown)} |", "|---|" + "---|" * len(shown)]
    for name, each in found.items():
        lines.append(f"| {name} | " + " | ".join(f"{each.metrics[key]:.3f}" for key in shown) + " |")
    return "\n".join(lines)


def _vector_scores(model: TwoTower, rows: pa.Table, pool: ranking.Pool) -> np.ndarray:
    documents = model.documents(rows)
    questions = model.questions(rows[fields.QUERY].take(pool.asked))
    return pool.picked(lambda part: questions[part] @ documents.T)
