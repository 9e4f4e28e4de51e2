"""The classifier on one configuration, split by module and by family of modules: what each part of it adds, beside baselines.

    python -m bench.classifier DUMP [SEEDS]        a configuration whose subsystems have content; 5 splits of each kind

Each split is drawn anew by its seed: 70 % of the methods for training, 10 % to calibrate, 20 % to test, whole modules or whole
families. All methods count, duplicates too; subsystems with fewer than 100 methods are left out of the first table, not of the
second (two splits). The parameters are the task's own: nothing is chosen here. Means over the splits ± standard deviation.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.training import labels
from ai_stack_assets.domain.training.classifier import head as heads
from ai_stack_assets.domain.training.classifier import measures, task
from ai_stack_assets.domain.training.classifier.model import CONTEXT, Classifier
from ai_stack_assets.domain.training.classifier.terms import TEXT
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features.compute import compute
from ai_stack_assets.domain.training.features.sources import ConfigurationRecords

WORK = Path(__file__).parent / ".work" / "classifier"
SHARES = (0.7, 0.8)
"""Where training ends, and where what calibrates does."""
LARGE = 100
"""Methods of a subsystem in the first table."""
SAYS_IT = "клиент|сервер|контекст|client|server|context"
"""In a name like `ЗаполнитьНаСервере`: the context by convention."""

Found = dict[str, list[tuple[float, float]]]


def examples(dump: Path) -> pa.Table:
    """Features and labels of all methods whose subsystem is known."""
    lake = Lake(WORK / "lake")
    version = extract(
        re.sub(r"\W", "_", dump.parts[-3] if dump.name == "cf" else dump.name),
        str(dump),
        lake,
        WORK / "cache",
    ).version
    rows = pa.concat_tables(compute(batch) for batch in ConfigurationRecords(version).batches())
    return task.prepare(labels.add(rows, labels.subsystems([version])))


def drawn(rows: pa.Table, column: str, seed: int) -> Sets:
    """A split that keeps what is equal in a column together."""
    _, group, sizes = np.unique(rows[column].to_numpy(), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    part = np.empty(len(sizes), int)
    part[order] = np.searchsorted(SHARES, np.cumsum(sizes[order]) / sizes.sum())
    return Sets(*(rows.filter(pa.array(part[group] == i)) for i in range(3)))


def judged(sets: Sets, seed: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """Accuracy and macro-F1 by what was used."""
    truth = sets.test["subsystem"].to_pylist()
    for name, found in task.baselines(sets, sets.test, seed=seed).items():
        yield name, (found.metrics["accuracy"], found.metrics["macro_f1"])
    model = task.fit(sets, {}, seed=seed, progress=lambda _: None)
    untold = task.fit(sets, {"knows_names": False}, seed=seed, progress=lambda _: None)
    yield "ours, subsystems' names not told", _pair(truth, untold, untold.scores(sets.test))
    unnamed = replace(model, place_weight=0.0)
    for name, used, vote in (
        ("ours, the method alone", unnamed, "method"),
        ("  and its object's name", model, "method"),
        ("  and the vote of its module", unnamed, "module"),
        ("  and the vote of its object", unnamed, "object"),
        ("  and name and vote of the module", model, "module"),
        ("ours (name and vote of the object)", model, "object"),
    ):
        yield name, _pair(truth, model, used.scores(sets.test, vote=vote))
    yield "context of a form's method", _context(model, sets.test)
    yield "  without names that say it", _context_without_names(sets, seed)


def _pair(truth: list[str], model: Classifier, scores: np.ndarray) -> tuple[float, float]:
    classes = model.classes("subsystem")
    found = measures.quality(truth, [classes[i] for i in scores.argmax(axis=1)])
    return found["accuracy"], found["macro_f1"]


def _context(model: Classifier, rows: pa.Table) -> tuple[float, float]:
    rows = rows.filter(rows[CONTEXT].is_valid())
    found = measures.quality(rows[CONTEXT].to_pylist(), model.predict(rows)[CONTEXT].to_pylist())
    return found["accuracy"], found["macro_f1"]


def _context_without_names(sets: Sets, seed: int) -> tuple[float, float]:
    train, test = (_masked(rows.filter(rows[CONTEXT].is_valid())) for rows in (sets.train, sets.test))
    head = heads.fit(train, train[CONTEXT].to_pylist(), heads.Settings(TEXT), seed=seed)
    best = head.scores(test).argmax(axis=1)
    found = measures.quality(test[CONTEXT].to_pylist(), [head.classes[i] for i in best])
    return found["accuracy"], found["macro_f1"]


def _masked(rows: pa.Table) -> pa.Table:
    """Without the terms that say it, in names and in calls."""
    for column in ("code_terms", "name_terms", "doc_terms"):
        lists = rows[column].combine_chunks()
        at, terms = pc.list_parent_indices(lists), pc.list_flatten(lists)
        kept = pc.invert(pc.match_substring_regex(terms, SAYS_IT))
        counts = np.bincount(at.filter(kept).to_numpy(), minlength=len(lists))
        offsets = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
        made = pa.ListArray.from_arrays(offsets, terms.filter(kept))
        rows = rows.set_column(rows.schema.get_field_index(column), column, made)
    return rows


def table(rows: pa.Table, title: str, seeds: int) -> None:
    print(f"\n{title}: {rows.num_rows:,} methods, {len(pc.unique(rows['subsystem']))} subsystems")
    found: dict[str, Found] = {"module": defaultdict(list), "family": defaultdict(list)}
    for kind, results in found.items():
        for seed in range(seeds):
            sets = drawn(rows, kind, seed)
            for name, pair in judged(sets, seed):
                results[name].append(pair)
    print(f"  {'accuracy / macro-F1':<36}{'module split':>31}{'family split':>31}")
    for name in found["family"]:
        print(
            f"  {name:<36}" + "".join(f"{_shown(results[name]):>31}" for results in found.values()),
            flush=True,
        )


def _shown(pairs: list[tuple[float, float]]) -> str:
    means, spread = np.mean(pairs, axis=0), np.std(pairs, axis=0)
    return " / ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(means, spread, strict=True))


def main(dump: Path, seeds: int = 5) -> None:
    rows = examples(dump)
    counts = {c["values"]: c["counts"] for c in pc.value_counts(rows["subsystem"]).to_pylist()}
    large = pa.array([name for name, count in counts.items() if count >= LARGE])
    table(rows.filter(pc.is_in(rows["subsystem"], large)), f"Subsystems of {LARGE} methods or more", seeds)
    table(rows, "All subsystems", min(seeds, 2))
    sets = drawn(rows, "family", 0)
    started = time.perf_counter(), time.process_time()
    model = task.fit(sets, {}, seed=0, progress=lambda _: None)
    seconds = time.perf_counter() - started[0], time.process_time() - started[1]
    started_at = time.perf_counter()
    model.predict(rows)
    speed = rows.num_rows / (time.perf_counter() - started_at)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    print(
        f"\n  fit on {sets.train.num_rows:,} methods {seconds[0]:.1f} s ({seconds[1]:.1f} s CPU), "
        f"{speed:,.0f} methods/s, peak of all this {peak:,} MB"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
