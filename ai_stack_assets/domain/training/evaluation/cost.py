"""What using a model costs: milliseconds for one method, methods per second, megabytes on disk. Limits: `gates`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.training.contract import Model

SINGLE_CALLS = 20
MAX_ROWS = 2_000


@dataclass(frozen=True)
class Cost:
    latency_ms: float
    """Median over single rows, as an online caller sees it, without the way over the network."""
    rows_per_second: float
    """Of one call with up to `MAX_ROWS` rows."""
    size_mb: float


def measure(model: Model, rows: pa.Table, folder: Path) -> Cost:
    """`rows`: some examples; `folder`: what `Model.save` wrote.

    The first call is not counted: it fills caches. Raises PermanentError when there is no row to measure on.
    """
    if not rows.num_rows:
        raise PermanentError("no examples to measure the latency on")
    rows = rows.slice(0, MAX_ROWS)
    model.predict(rows.slice(0, 1))
    single = sorted(_seconds(model, rows.slice(i % rows.num_rows, 1)) for i in range(SINGLE_CALLS))
    many = _seconds(model, rows)
    return Cost(
        latency_ms=round(1_000 * single[len(single) // 2], 3),
        rows_per_second=round(rows.num_rows / max(many, 1e-9), 1),
        size_mb=round(size_bytes(folder) / 2**20, 3),
    )


def size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _seconds(model: Model, rows: pa.Table) -> float:
    started = time.perf_counter()
    model.predict(rows)
    return time.perf_counter() - started
