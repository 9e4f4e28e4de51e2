"""Training of the two-tower model: batches, steps, early stopping on validation, checkpoints that a killed fit goes on from.

Seeded: the same sets, parameters and seed give the same weights on one thread; with another number of threads the sums differ in
their last bits, and MRR@10 by less than 0.005. A GPU (`devices`) sums in another order too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ai_stack_assets.domain.training.contract import Progress, Sets
from ai_stack_assets.domain.training.embeddings import checkpoints, devices, examples, hybrid, ranking
from ai_stack_assets.domain.training.embeddings.bm25 import Bm25
from ai_stack_assets.domain.training.embeddings.start import start
from ai_stack_assets.domain.training.embeddings.step import Adam, Batch
from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower, Weights

if TYPE_CHECKING:
    import pyarrow as pa
    import scipy.sparse as sp

WARM_UP = 20
"""Steps until the full rate."""
TOGETHER = 10
"""Steps that several workers take apart, each on batches of its own."""
POOL_SEED = 11
"""Of what validation questions are looked for among: the same whatever the fit's seed."""


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress = print,
) -> TwoTower:
    """See `contract.Task.fit`."""
    device = devices.chosen(parameters[devices.PARAMETER])
    model = start(sets.train, int(parameters["size"]), int(parameters["least_rows"]), seed)
    trial = Trial.of(sets.validation, model)
    pairs = Pairs.of(sets.train, model)
    progress(
        f"{sets.train.num_rows:,} methods, {len(pairs.described):,} described; {len(model.vocabulary):,} terms; "
        f"before training MRR@10 {trial.score(model):.4f}; steps on {device.gpu or 'the processor'}"
    )
    kept = checkpoints.Kept(checkpoint, checkpoints.fingerprint(sets, parameters, seed))
    best = _run(model, pairs, trial, parameters, seed, kept, device, progress)
    model = replace(model, weights=best, facts=device.facts())
    return model.with_share(trial.best_share(model))


def _run(
    model: TwoTower,
    pairs: Pairs,
    trial: Trial,
    parameters: Mapping[str, Any],
    seed: int,
    kept: checkpoints.Kept,
    device: devices.Device,
    progress: Progress,
) -> Weights:
    """The best weights of all that were tried."""
    from ai_stack_assets.domain.training import distributed  # not needed to use a model

    steps, every = int(parameters["steps"]), int(parameters["validate_every"])
    group = distributed.current()
    state = kept.read(device)
    if state is None:
        adam, random = device.take(Adam.of(model.weights)), np.random.default_rng([seed, group.rank])
        state = checkpoints.State(adam, model.weights.copy(), -1.0, 0, random)
    else:
        progress(f"goes on after step {state.adam.steps} from a checkpoint")
    while state.adam.steps < steps and state.since_best < int(parameters["patience"]):
        rate = _schedule(state.adam.steps, steps)
        batch = pairs.batch(state.random, int(parameters["batch"]), parameters)
        loss = state.adam.step(
            batch, parameters["temperature"], rate * parameters["rate"], rate * parameters["field_rate"]
        )
        is_judged = state.adam.steps % every == 0 or state.adam.steps == steps
        if is_judged or state.adam.steps % TOGETHER == 0:
            state.adam.average(group)
        if is_judged:
            score = trial.score(replace(model, weights=state.adam.weights))
            progress(f"step {state.adam.steps} of {steps}: loss {loss:.3f}, validation MRR@10 {score:.4f}")
            state.judge(score)
            kept.write(state)
    return state.best


def _schedule(step: int, steps: int) -> float:
    """Share of the full rate: up in WARM_UP steps, then down along a cosine."""
    return min((step + 1) / WARM_UP, 0.5 * (1 + np.cos(np.pi * step / steps)))


@dataclass(frozen=True)
class Trial:
    """The validation questions, ready to be asked."""

    rows: pa.Table
    pool: ranking.Pool
    bags: list[sp.csr_matrix]
    questions: sp.csr_matrix
    bm25: np.ndarray
    """Scores in the pool."""

    @classmethod
    def of(cls, rows: pa.Table, model: TwoTower) -> Trial:
        pool = ranking.Pool.of(rows, POOL_SEED)
        questions = model.bags([rows[examples.QUERY].take(pool.asked)])[0]
        bags = model.bags([rows[name] for name in examples.FIELDS])
        return cls(rows, pool, bags, questions, pool.picked(text_scores(rows, pool.asked)))

    def score(self, model: TwoTower) -> float:
        return float(ranking.reciprocal(ranking.ranks(self._picked(model))).mean())

    def best_share(self, model: TwoTower) -> float:
        return hybrid.best_share(self._picked(model), self.bm25)

    def _picked(self, model: TwoTower) -> np.ndarray:
        documents = model.encode(self.bags)
        questions = model.encode([self.questions], question=True)
        return self.pool.picked(lambda part: questions[part] @ documents.T)


def text_scores(rows: pa.Table, asked: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """BM25 of name, parameters and code, as one text each, for `ranking.Pool.picked`."""
    every = examples.vocabulary([rows["code_terms"], rows["name_terms"], rows["parameter_terms"]], 1)
    index = Bm25(sum((examples.counts(rows[name], every) for name in examples.FIELDS[1:]),
                     start=examples.counts(rows[examples.FIELDS[0]], every)))  # fmt: skip
    questions = examples.counts(rows[examples.QUERY].take(asked), every)
    return lambda part: index.scores(questions[part])


@dataclass(frozen=True)
class Pairs:
    """What belongs together in the train set: a description and its method, a name and its body."""

    bags: list[sp.csr_matrix]
    descriptions: sp.csr_matrix
    described: np.ndarray
    names: sp.csr_matrix
    named: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, train: pa.Table, model: TwoTower) -> Pairs:
        bags = model.bags([train[name] for name in examples.FIELDS])
        described = examples.asked(train)
        named = np.flatnonzero(np.diff(bags[0].indptr) >= 2)
        descriptions = model.bags([train[examples.QUERY].take(described)])[0]
        return cls(
            bags, descriptions, described, bags[0][named], named, examples.labels(train[examples.QUERY])
        )

    def batch(self, random: np.random.Generator, size: int, parameters: Mapping[str, Any]) -> Batch:
        """Descriptions with all of their methods, names with methods whose name is hidden; some terms are left out."""
        import scipy.sparse as sp

        by_name = round(size * parameters["name_share"]) if len(self.named) else 0
        first = _drawn(random, len(self.described), size - by_name)
        second = _drawn(random, len(self.named), by_name)
        rows = np.concatenate([self.described[first], self.named[second]])
        questions = sp.vstack([self.descriptions[first], self.names[second]], "csr")
        bags = [bag[rows] for bag in self.bags]
        bags[0].data *= np.repeat(np.arange(len(rows)) < len(first), np.diff(bags[0].indptr))
        dropped = [_thinned(bag, parameters["dropout"], random) for bag in (questions, *bags)]
        return Batch(dropped, self.labels[rows])


def _drawn(random: np.random.Generator, total: int, size: int) -> np.ndarray:
    """Each at most once, as long as there are enough."""
    return random.choice(total, min(size, total), replace=False)


def _thinned(bag: sp.csr_matrix, share: float, random: np.random.Generator) -> sp.csr_matrix:
    bag.data *= random.random(len(bag.data), np.float32) >= share
    return bag
