"""What fitting models at the same time saves: seconds one after the other and together, and the memory that each takes.

    python -m bench.training [DATA]        a data folder in which `train` has run; nothing in it is changed

Each fit has a process of its own, as in the stage: alone it has all cores, together each has its share of them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ai_stack_assets.domain.common.charts import table
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training import fitting, tasks
from ai_stack_assets.domain.training.pipeline import Training, weeks_to_train
from ai_stack_assets.domain.training.settings import TrainingSettings


def fit(data: Path, week: str, name: str, at_once: int, target: str) -> tuple[str, float, int]:
    """Name, seconds and peak megabytes of a fit whose model goes to a folder of its own."""

    def lake(namespace: str) -> Lake:
        is_own = namespace == f"training/{name}_model"
        return Lake(Path(target) / str(at_once) / name if is_own else data / "lake" / namespace)

    stage = Training(lake, week, TrainingSettings(), Path(target) / "work", at_once=at_once)
    facts = stage.model(name, say=lambda _: None).facts
    return name, facts["seconds"]["fit"], facts["peak_mb"]


def measure(data: Path, week: str, names: list[str], at_once: int, target: str) -> tuple[float, list]:
    """Seconds from the first to the last, so many at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["ai_stack_assets.domain.training.fitting"])
    started = time.perf_counter()
    with ProcessPoolExecutor(at_once, mp_context=context, max_tasks_per_child=1) as pool:
        # the longest first, as the shortest schedule wants it
        jobs = [pool.submit(fit, data, week, name, at_once, target) for name in names]
        found = [job.result() for job in jobs]
    return time.perf_counter() - started, found


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "data").absolute()
    week = weeks_to_train(lambda name: Lake(data / "lake" / name))[0]
    made = Lake(data / "lake" / "training" / "prepared").configurations()
    names = [name for name in tasks.NAMES if name in made]
    together = min(len(names), fitting.cores())
    with tempfile.TemporaryDirectory() as target:
        alone_s, alone = measure(data, week, names, 1, target)
        together_s, shared = measure(data, week, names, together, target)
    rows = [
        (name, round(a, 1), round(b, 1), peak)
        for (name, a, peak), (_, b, _) in zip(alone, shared, strict=True)
    ]
    print(table(["fit", "alone, s", f"{together} at once, s", "peak MB"], rows))
    print(
        f"\nall: {alone_s:.1f} s one after the other, {together_s:.1f} s together: {together_s / alone_s:.2f}"
    )


if __name__ == "__main__":
    main()
