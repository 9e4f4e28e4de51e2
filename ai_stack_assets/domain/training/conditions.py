"""Conditions that a sensor waits for, told in a moment: a number compared, the shape of a table as its footers have it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from ai_stack_assets.domain.training.validation_rules import Finding, Rules

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def holds(value: float, comparison: Comparison, threshold: float) -> bool:
    """False for a value that is not a number, whatever the comparison: nothing is known then."""
    return value == value and COMPARISONS[comparison](value, threshold)


def shape(version: Version, table: str, rules: Rules) -> list[Finding]:
    """The rules that a table of the lake breaks, told by the footers of its files: no row is read.

    A column inside a list or a record, and one whose writer left no statistics, cannot be told: its nulls are not judged.
    """
    import pyarrow.parquet as pq

    rows = version.rows(table)
    found = []
    if rows < rules.rows:
        found.append(Finding("rows", "", rows, rules.rows, f"{rows} rows, {rules.rows} are needed"))
    files = [pq.ParquetFile(part) for part in version.parts(table)]
    names = files[0].schema_arrow.names if files else []
    nulls = _nulls([file.metadata for file in files])
    for name in rules.columns:
        if name not in names:
            found.append(Finding("column", name, 0, 1, f"column {name} is missing"))
            continue
        share = nulls.get(name, 0) / max(rows, 1)
        allowed = rules.null_shares.get(name, rules.null_share)
        if share > allowed:
            message = f"{share:.1%} of {name} is null, at most {allowed:.1%} may be"
            found.append(Finding("nulls", name, round(share, 4), allowed, message))
    return found


def _nulls(footers: Sequence) -> dict[str, int]:
    counts: dict[str, int] = {}
    for footer in footers:
        for group in range(footer.num_row_groups):
            for column in range(footer.num_columns):
                chunk = footer.row_group(group).column(column)
                if chunk.statistics and chunk.statistics.null_count:
                    counts[chunk.path_in_schema] = (
                        counts.get(chunk.path_in_schema, 0) + chunk.statistics.null_count
                    )
    return counts
