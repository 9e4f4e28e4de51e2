"""Change risk on a real repository, the last two years that are over as tests, beside size alone and what changed before.

python -m bench.change_risk /path/to/repository [--lake FOLDER] [--zone Europe/Moscow]

Without a folder for the lake and the cache, the history is read anew: minutes. Every number is of one seed; the interval
is of the paired bootstrap over methods.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.history.backfill import History
from ai_stack_assets.domain.training.change_risk import examples, measures, model, task
from ai_stack_assets.domain.training.change_risk.columns import LABEL
from ai_stack_assets.domain.training.contract import Evaluation, Sets
from ai_stack_assets.domain.training.evaluation.bootstrap import compare

if TYPE_CHECKING:
    import pyarrow as pa

SEED = 7
METRICS = ("auc", "average_precision", "precision_at_5")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--zone", default="Europe/Moscow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.lake or Path(scratch)
        past = opened(options.repository, ZoneInfo(options.zone), folder)
        measure(past)


def opened(repository: str, zone: ZoneInfo, folder: Path) -> examples.Past:
    """The repository's past, its history read where the lake lacks it."""
    name = "measured"
    lake = Lake(folder / "lake" / "history" / name)
    with History(repository, lake, folder / "cache", zone) as history:
        failed = [day for day in history.days(day for day, _ in history.log.states) if day.error]
    if failed:
        raise SystemExit(f"{failed[0].day}: {failed[0].error}")
    return examples.Past(name, repository, lake, folder / "cache", zone)


def measure(past: examples.Past) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    days = examples.days_of(past)
    states = [examples.of_days(past, [day]) for day in days]
    for day, state in zip(days, states, strict=True):
        print(f"{day}: {state.num_rows:,} methods, {_share(state):.1%} changed or removed within a year")
    print(
        f"examples: {time.perf_counter() - start:.1f} s, CPU {time.process_time() - cpu:.1f} s, {_peak_mb()} MB"
    )
    for last in (len(days) - 2, len(days) - 1):
        judge(states[: last - 1], states[last - 1], states[last])
    print(f"peak {_peak_mb()} MB")


def judge(train: list[pa.Table], validation: pa.Table, test: pa.Table) -> None:
    """One table: a year as the test, the year before to stop at, those before that to learn from."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sets = Sets(pa.concat_tables(train), validation, test)
    cpu = time.process_time()
    fitted = task.fit(sets, task.PARAMETERS, seed=SEED, progress=lambda _: None)
    cpu = time.process_time() - cpu
    seen = pc.unique(
        pa.concat_tables([sets.train.select(["module"]), validation.select(["module"])])["module"]
    )
    new = test.filter(pc.invert(pc.is_in(test["module"], seen)))
    print(f"\ntest {test['snapshot'][0]} ({test.num_rows:,} methods), fit {cpu:.1f} s of CPU")
    size = show("", sets, fitted, test)
    own = task.evaluate(fitted, test, seed=SEED)
    print(f"  model above size alone: AUC {compare(own, size)}")
    if 0 < _share(new) < 1:
        show(f" (modules never seen, {new.num_rows:,})", sets, fitted, new)


def show(what: str, sets: Sets, fitted: model.ChangeRisk, rows: pa.Table) -> Evaluation:
    """Prints a line per model; returns the size-only one."""
    alone = measures.evaluation(fitted.risk(rows, model.CODE_ALONE), rows)
    found = {"model": task.evaluate(fitted, rows, seed=SEED), "model, code alone": alone}
    found |= task.baselines(sets, rows, seed=SEED)
    for name, evaluation in found.items():
        numbers = "  ".join(f"{m} {evaluation.metrics[m]:.3f}" for m in METRICS)
        print(f"  {name + what:44} {numbers}")
    return found["size only"]


def _share(rows: pa.Table) -> float:
    return sum(rows[LABEL].to_pylist()) / max(rows.num_rows, 1)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
