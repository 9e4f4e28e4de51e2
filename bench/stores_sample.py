"""Every n-th row, for loads that are too slow to be measured whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

Call = tuple[int, Callable[[], Any]]
"""Rows in all, and what writes one of them."""


def interval(version: Version, tables: Iterable[str], sampled: int) -> tuple[int, int]:
    """Which rows are taken (one in so many), and how many there are."""
    total = sum(version.rows(table) for table in tables)
    return max(1, total // sampled), total


def every_nth(table: pa.Table, every: int) -> Iterator[dict[str, Any]]:
    import numpy as np

    yield from table.take(np.arange(0, table.num_rows, every)).to_pylist()
