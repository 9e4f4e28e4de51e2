"""Code search on real configurations: each model beside BM25 on the same questions, families of modules kept together.

    python -m bench.embeddings /path/to/sources [MORE…] [--splits 3] [--kept module] [--set name=value…]

The first one is measured: its families are split, 15 % of the methods to test and 10 % to stop at and to choose the weight of the
hybrid; a family of more than 5 % trains. `MORE` only trains, without the families, code and descriptions that are held out.
`--kept module` keeps modules together instead of families: easier, for comparison. Splits are seeded, from 20 on; settings were
chosen on validation families of another one.
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.identifiers import words
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.training.contract import Evaluation, Sets
from ai_stack_assets.domain.training.embeddings import examples, fit, hybrid, ranking, task
from ai_stack_assets.domain.training.embeddings.bm25 import Bm25
from ai_stack_assets.domain.training.evaluation.bootstrap import compare
from ai_stack_assets.domain.training.features import compute, sources

if TYPE_CHECKING:
    import pyarrow as pa

WORK = Path(__file__).parent / ".work" / "embeddings"
FIRST_SEED = 20
TEST, VALIDATION, LARGEST = 0.15, 0.10, 0.05
RESAMPLES = 1_000
_COMMENT = re.compile(r"^\s*//.*$", re.M)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", nargs="+")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--kept", choices=("family", "module"), default="family")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    given = {
        name: type(task.PARAMETERS[name])(value) for name, _, value in (s.partition("=") for s in options.set)
    }
    rows, *more = (methods(source) for source in options.source)
    found: dict[str, list[Evaluation]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + options.splits):
        sets = with_more(split(rows, options.kept, seed), more)
        sizes = ", ".join(
            f"{name} {len(examples.asked(getattr(sets, name))):,}" for name in ("train", "validation", "test")
        )
        print(
            f"\n{options.kept} split {seed}: {sets.train.num_rows:,} methods to train on; questions: {sizes}",
            flush=True,
        )
        measured = judged(sets, given, seed)
        print(table(measured))
        for name, evaluation in measured.items():
            found.setdefault(name, []).append(evaluation)
    print(f"\nMRR@10 over {options.splits} splits, mean ± deviation")
    for name, evaluations in found.items():
        values = [each.metrics[task.METRIC] for each in evaluations]
        print(f"  {name:34} {np.mean(values):.3f} ± {np.std(values):.3f}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def methods(source: str) -> pa.Table:
    """Examples of one configuration; of methods whose code is the same but for comments, the first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = f"measured_{text_hash(str(Path(source).resolve()))[:12]}"
    lake = Lake(WORK / "lake")
    version = extract(name, source, lake, WORK / "cache").version
    kept = WORK / f"{version.id}_{compute.definitions.CODE_VERSION}.parquet"
    if not kept.exists():
        records = pa.concat_tables(sources.ConfigurationRecords(version).batches())
        pq.write_table(compute.compute(records), kept)
    rows = task.prepare(pq.read_table(kept))
    _, first = np.unique(_codes(rows), return_index=True)
    return rows.take(np.sort(first))


def split(rows: pa.Table, kept: str, seed: int) -> Sets:
    """Groups in random order: to test, then to validation, while there is room."""
    groups = np.array(rows[kept].to_pylist())
    sizes = Counter(groups.tolist())
    names = np.array(sorted(sizes))
    np.random.default_rng(seed).shuffle(names)
    room = {"test": TEST * rows.num_rows, "validation": VALIDATION * rows.num_rows}
    side = {}
    for name in names.tolist():
        is_small = sizes[name] < LARGEST * rows.num_rows
        side[name] = next((s for s, left in room.items() if is_small and left > 0), "train")
        if side[name] != "train":
            room[side[name]] -= sizes[name]
    sides = np.array([side[name] for name in groups])
    return Sets(**{s: rows.filter(sides == s) for s in ("train", "validation", "test")})


def with_more(sets: Sets, more: list[pa.Table]) -> Sets:
    """The train set with methods of others, without anything that is held out: families, code, descriptions."""
    import pyarrow as pa

    held = [sets.validation, sets.test]
    families = {name for rows in held for name in rows["family"].to_pylist()}
    codes = {code for rows in (*held, sets.train) for code in _codes(rows)}
    asked = {tuple(terms) for rows in held for terms in rows[examples.QUERY].to_pylist() if terms}
    parts = [
        sets.train.filter([tuple(terms) not in asked for terms in sets.train[examples.QUERY].to_pylist()])
    ]
    for rows in more:
        names, terms = rows["family"].to_pylist(), rows[examples.QUERY].to_pylist()
        is_new = [
            name not in families and code not in codes and tuple(asks) not in asked
            for name, code, asks in zip(names, _codes(rows), terms, strict=True)
        ]
        codes |= set(_codes(rows))
        parts.append(rows.filter(is_new))
    return Sets(pa.concat_tables(parts), sets.validation, sets.test)


def judged(sets: Sets, given: dict[str, object], seed: int) -> dict[str, Evaluation]:
    """Every model on the questions of the test set, the baselines first."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        (wall, cpu), model = timed(lambda: task.fit(sets, given, seed=seed, progress=lambda _: None))
    print(
        f"fit {wall:.0f} s, {cpu:.0f} s of CPU; {len(model.vocabulary):,} terms × {model.size}; BM25 weighs {model.share}"
    )
    (wall, cpu), _ = timed(lambda: model.predict(sets.train))
    rows = sets.train.num_rows
    print(f"vectors of {rows / wall:,.0f} methods a second, {rows / cpu:,.0f} a second of CPU")
    pool = ranking.Pool.of(sets.test, seed)
    whole = ranking.evaluation(pool.picked(_unsplit(sets.test, pool.asked)), sets.test, pool.asked)
    fields = ranking.evaluation(_by_fields(sets.test, pool), sets.test, pool.asked)
    baselines = task.baselines(sets, sets.test, seed=seed)
    scored = task.scored(model, sets.test, seed=seed)
    return {"BM25, identifiers whole": whole, "BM25, name and code apart": fields, **baselines, **scored}


def timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Wall and CPU seconds, and what came of it."""
    started = time.perf_counter(), time.process_time()
    made = work()
    return (time.perf_counter() - started[0], time.process_time() - started[1]), made


def table(found: dict[str, Evaluation]) -> str:
    """Markdown: 95 % intervals of a bootstrap, paired for the difference to BM25."""
    lines = ["| model | MRR@10 | R@1 | R@10 | above BM25 |", "|---|---|---|---|---|"]
    for name, each in found.items():
        low, high = _interval(each)
        shown = [f"{each.metrics[m]:.3f}" for m in ("recall_at_1", "recall_at_10")]
        gain = str(compare(each, found["BM25"], resamples=RESAMPLES)) if name != "BM25" else ""
        lines.append(
            f"| {name} | {each.metrics[task.METRIC]:.3f} [{low:.3f}, {high:.3f}] | {' | '.join(shown)} | {gain} |"
        )
    return "\n".join(lines)


def _interval(evaluation: Evaluation) -> tuple[float, float]:
    random = np.random.default_rng(1)
    drawn = [evaluation.score(random.integers(0, evaluation.rows, evaluation.rows)) for _ in range(RESAMPLES)]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def _by_fields(rows: pa.Table, pool: ranking.Pool) -> np.ndarray:
    """BM25 of the name and of all, added in deviations: how far words alone get when the name counts as much as the rest."""
    known = examples.vocabulary([rows["name_terms"]], 1)
    index = Bm25(examples.counts(rows["name_terms"], known))
    questions = examples.counts(rows[examples.QUERY].take(pool.asked), known)
    names = pool.picked(lambda part: index.scores(questions[part]))
    return hybrid.combined(pool.picked(fit.text_scores(rows, pool.asked)), names, 1.0)


def _unsplit(rows: pa.Table, asked: np.ndarray) -> ranking.Scores:
    """BM25 over words as they stand, neither split nor stemmed."""
    import pyarrow as pa

    def lists(texts: Iterator[str]) -> pa.Array:
        return pa.array([words(text.lower()) for text in texts], pa.list_(pa.string()))

    described = (examples.description(text) for text in rows["doc_comment"].take(asked).to_pylist())
    documents = lists(
        "\n".join(pair)
        for pair in zip(rows["method_name"].to_pylist(), rows["code"].to_pylist(), strict=True)
    )
    known = examples.vocabulary([documents], 1)
    counted, questions = examples.counts(documents, known), examples.counts(lists(described), known)
    index = Bm25(counted)
    return lambda part: index.scores(questions[part])


def _codes(rows: pa.Table) -> list[str]:
    return [text_hash(" ".join(terms)) for terms in rows["code_terms"].to_pylist()]


if __name__ == "__main__":
    main()
