"""What people go through after the models were asked: code in the wrong place, too complex for what it does, likely to change.

Takes the tables of `inference`, gives markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common import charts

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

SHOWN = 20


@dataclass(frozen=True)
class _List:
    title: str
    columns: tuple[str, ...]
    """Of the answers, shown beside the method's object and name."""
    chosen: Callable[[pa.Table], pa.Table]


def lists(answers: Version) -> Iterator[tuple[str, str]]:
    """Title and table for each model that there are answers of."""
    for task, each in _LISTS.items():
        if not answers.rows(task):
            continue
        table = answers.table(task)
        if set(each.columns) <= set(table.column_names):
            found = each.chosen(table)
            yield f"{each.title} in {answers.configuration}", _shown(found, each.columns)


def _misplaced(answers: pa.Table) -> pa.Table:
    from ai_stack_assets.domain.training.classifier.misplaced import misplaced

    return misplaced(answers, answers)


def _most(column: str) -> Callable[[pa.Table], pa.Table]:
    return lambda answers: answers.sort_by([(column, "descending"), ("id", "ascending")]).slice(0, SHOWN)


def _shown(found: pa.Table, columns: tuple[str, ...]) -> str:
    names = ("object", "method_name", *columns)
    cells = [[_cell(row[name]) for name in names] for row in found.slice(0, SHOWN).to_pylist()]
    more = f"\n\n{charts.number(found.num_rows)} in all" if found.num_rows > SHOWN else ""
    return charts.table([name.replace("_", " ") for name in names], cells) + more


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)


_LISTS = {
    "classifier": _List(
        "Code that looks like another subsystem's", ("subsystem", "code_subsystem", "code_score"), _misplaced
    ),
    "regressor": _List(
        "More complex than its name and comment let expect",
        ("expected_cyclomatic", "residual"),
        _most("residual"),
    ),
    "change_risk": _List(
        "Likely to change within a year", ("risk", "risk_percentile", "knows_past"), _most("risk")
    ),
}
