"""How a model does on code that it was neither trained nor tested on, beside what it did when it was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from ai_stack_assets.domain.training.contract import Model, Task

RESAMPLES = 300
KEY = "content_hash"


@dataclass(frozen=True)
class Performance:
    """A champion on fresh code. `value` is None when there was too little of it: `note` says so."""

    task: str
    metric: str
    recorded: float
    """On the test set, when it became champion."""
    rows: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % bootstrap interval of `value`."""
    note: str = ""

    @property
    def loss(self) -> float:
        """Share of the recorded metric that is lost; 0 while chance may explain it, or when nothing was measured."""
        if self.value is None or self.high is None or self.high >= self.recorded:
            return 0.0
        return (self.recorded - self.value) / abs(self.recorded) if self.recorded else 0.0


def fresh(current: pa.Table, before: pa.Table, rows: int) -> pa.Table:
    """Rows of `current` whose code was not there before.

    Args:
        current, before: the `rows` methods with the lowest hashes, or all of them.
    """
    import pyarrow.compute as pc

    if before.num_rows >= rows:
        # of code with higher hashes nobody knows whether it was there
        current = current.filter(pc.less_equal(current[KEY], pc.max(before[KEY])))
    return _without(current, before[KEY])


def unseen(rows: pa.Table, seen: pa.ChunkedArray, since: datetime) -> pa.Table:
    """Rows that a model has not seen, and that have changed since; where nobody knows when, being fresh is all that is known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    changed = rows["changed_at"]
    is_new = pc.or_kleene(pc.is_null(changed), pc.greater_equal(changed, pa.scalar(since, changed.type)))
    return _without(rows.filter(is_new), seen)


def _without(rows: pa.Table, hashes: pa.ChunkedArray) -> pa.Table:
    import pyarrow.compute as pc

    return rows.filter(pc.invert(pc.is_in(rows[KEY], hashes.combine_chunks())))


def measure(task: Task, model: Model, examples: pa.Table, recorded: float, *, seed: int) -> Performance:
    """The task's metric on examples (see `Task.prepare`) that are new to the model."""
    import numpy as np

    found = task.evaluate(model, examples, seed=seed)
    random = np.random.default_rng(seed)
    resamples = random.integers(0, found.rows, (RESAMPLES, found.rows)) if found.rows else []
    scores = np.array([found.score(sample) for sample in resamples])
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        note = f"the metric is undefined on {found.rows} fresh examples"
        return Performance(task.NAME, task.METRIC, recorded, found.rows, note=note)
    low, high = np.quantile(scores, (0.025, 0.975))
    value = float(found.metrics[task.METRIC])
    return Performance(task.NAME, task.METRIC, recorded, found.rows, value, float(low), float(high))
