"""What rows have to be like before a model may learn from them or be asked about them: enough of them, whole, finite.

Rules look and report; what stops a run is decided by the checks, and by what is called `require_…`, which refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.features import definitions

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.training.contract import Sets

SAMPLE = 20


@dataclass(frozen=True)
class Rules:
    """At least `rows`; all of `columns`; null or not finite in `null_share` of the rows at most, or as `null_shares` says."""

    rows: int = 1000
    columns: Sequence[str] = field(default_factory=lambda: tuple(definitions.names()))
    null_share: float = 0.0
    null_shares: Mapping[str, float] = field(default_factory=lambda: {"changed_at": 1.0})


@dataclass(frozen=True)
class Finding:
    """One rule that does not hold. `rule`: `rows`, `column` or `nulls`."""

    rule: str
    column: str
    actual: float
    threshold: float
    message: str
    sample: list[str] = field(default_factory=list)
    """`content_hash` of at most 20 rows."""


def findings(rows: pa.Table, rules: Rules | None = None) -> list[Finding]:
    """What is wrong with rows of the features table, or of a prepared set; empty when nothing is."""
    rules = rules or Rules()
    found = []
    if rows.num_rows < rules.rows:
        found.append(
            Finding("rows", "", rows.num_rows, rules.rows, f"{rows.num_rows} rows, {rules.rows} are needed")
        )
    for name in rules.columns:
        if name not in rows.schema.names:
            found.append(Finding("column", name, 0, 1, f"column {name} is missing"))
            continue
        allowed = rules.null_shares.get(name, rules.null_share)
        unknown = _unknown(rows[name])
        share = sum(unknown) / len(unknown) if unknown else 0.0
        if share > allowed:
            message = f"{share:.1%} of {name} is null or not finite, at most {allowed:.1%} may be"
            found.append(Finding("nulls", name, round(share, 4), allowed, message, _sample(rows, unknown)))
    return found


def require_finite(rows: pa.Table, what: str) -> None:
    """Raises PermanentError when a number or flag among the features is null, NaN or infinite; names column, count and rows."""
    for name in definitions.names(definitions.NUMBER):
        unknown = _unknown(rows[name]) if name in rows.schema.names else []
        if any(unknown):
            raise PermanentError(
                f"{what}: {name} is null or not finite in {sum(unknown)} of {rows.num_rows} rows "
                f"({', '.join(_sample(rows, unknown)[:3])}): remove this version of the features, they are then computed anew"
            )


def require_rows(sets: Sets, whose: str, remedy: str) -> None:
    """Raises PermanentError when there is nothing to learn from, or nothing to stop at; `remedy`: what to do about it."""
    for name, rows in (("train", sets.train), ("validation", sets.validation)):
        if not rows.num_rows:
            raise PermanentError(f"the {name} set of {whose} is empty: {remedy}")


def classes(rows: pa.Table, column: str, *, least: int = 2) -> tuple[list[str], dict[str, int]]:
    """Classes with `least` rows or more, and how many rows each of the rarer ones has: those can be neither learned nor judged.

    Raises:
        PermanentError: no row has a label, or fewer than two classes are left; it says what to add.
    """
    import pyarrow.compute as pc

    counts = {c["values"]: c["counts"] for c in pc.value_counts(rows[column].drop_null()).to_pylist()}
    if not counts:
        raise PermanentError(
            f"none of {rows.num_rows} methods has a label {column!r}: extract a configuration whose subsystems have content, "
            "and load it into the stores that the dataset reads"
        )
    kept = sorted(name for name, count in counts.items() if count >= least)
    rare = {name: count for name, count in sorted(counts.items()) if count < least}
    if len(kept) < 2:
        raise PermanentError(
            f"{column}: {len(kept)} of {len(counts)} classes have {least} examples or more, two are needed: add configurations"
            f" (now: {', '.join(f'{name} {count}' for name, count in sorted(counts.items(), key=_falling)[:3])})"
        )
    return kept, rare


def _falling(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _unknown(column: pa.ChunkedArray) -> list[bool]:
    import pyarrow as pa
    import pyarrow.compute as pc

    unknown = pc.is_null(column)
    if pa.types.is_floating(column.type):
        unknown = pc.or_(unknown, pc.invert(pc.fill_null(pc.is_finite(column), False)))
    return unknown.to_pylist() if pc.any(unknown).as_py() else [False] * len(column)


def _sample(rows: pa.Table, unknown: list[bool]) -> list[str]:
    if definitions.KEY not in rows.schema.names:
        return []
    at = [i for i, is_unknown in enumerate(unknown) if is_unknown][:SAMPLE]
    return [str(rows[definitions.KEY][i].as_py()) for i in at]
