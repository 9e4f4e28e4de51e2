"""The gates: what must hold for a version of the lake before anything follows it. Reads the tables, judges,
writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.check_columns import OWNERS, Columns, not_in
from ai_stack_assets.domain.onec.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

SAMPLE = 20
MAX_LOST_SHARE = 0.01
"""Of files that could not be read at all."""
MAX_LOSS = 0.2
"""Share of a table's rows that may vanish from one version to the next without a word."""

ERROR, WARN = "error", "warn"


@dataclass(frozen=True)
class Gate:
    """A property and what it means when it does not hold. `table`: the one that it is shown at."""

    name: str
    table: str
    severity: str
    description: str


@dataclass(frozen=True)
class CheckResult:
    """`actual` may be at most `threshold` (at least, for `is_not_empty`). `sample`: ids at fault."""

    name: str
    passed: bool
    severity: str
    actual: float
    threshold: float
    sample: list[str] = field(default_factory=list)
    description: str = ""


def stops(results: Iterable[CheckResult]) -> bool:
    """Whether nothing may follow this version."""
    return any(not result.passed and result.severity == ERROR for result in results)


GATES: dict[str, Gate] = {
    gate.name: gate
    for gate in (
        Gate("is_not_empty", "objects", ERROR, "The configuration has objects."),
        Gate("ids_are_unique", "objects", ERROR, "No id occurs twice in any table."),
        Gate("names_differ_by_more_than_case", "objects", WARN, "No two ids are the same but for case."),
        Gate("owners_exist", "objects", ERROR, "Every row's owner is a row of the same version."),
        Gate(
            "children_match_configuration",
            "references",
            ERROR,
            "The configuration's own list of children equals its objects.",
        ),
        Gate(
            "lost_files_are_few",
            "rejected",
            ERROR,
            f"At most {MAX_LOST_SHARE:.0%} of the files could not be read.",
        ),
        Gate(
            "no_sudden_loss",
            "objects",
            WARN,
            f"No table lost more than {MAX_LOSS:.0%} of its rows since the last version.",
        ),
    )
}
"""By name, in the order of `evaluate`. Those of severity `error` must stop what follows."""

_NAMED = ("objects", "fields", "modules", "methods")
"""Tables whose ids are names, which 1C compares without case; the ids of the others are made of these."""


def evaluate(version: Version, previous: Version | None) -> list[CheckResult]:
    """Judge a version. `previous` is the one before it, if any."""
    tables = Columns(version)
    return [
        _is_not_empty(version),
        _ids_are_unique(tables),
        _names_differ_by_more_than_case(tables),
        _owners_exist(tables),
        _children_match_configuration(tables),
        _lost_files_are_few(tables),
        _no_sudden_loss(version, previous),
    ]


def _result(
    name: str, passed: bool, actual: float, threshold: float, sample: Iterable[str], said: str
) -> CheckResult:
    gate = GATES[name]
    return CheckResult(name, passed, gate.severity, actual, threshold, list(sample)[:SAMPLE], said)


def _is_not_empty(version: Version) -> CheckResult:
    rows = version.rows("objects")
    return _result("is_not_empty", rows > 0, rows, 1, [], f"{rows} objects.")


def _ids_are_unique(tables: Columns) -> CheckResult:
    import pyarrow.compute as pc

    def judge(ids: pa.ChunkedArray) -> tuple[int, list[str]]:
        extra = len(ids) - len(pc.unique(ids))
        return extra, _repeated(ids).to_pylist() if extra else []

    repeated, sample = _found(tables, TABLES, judge)
    said = _counted("repeated ids", repeated) or "All ids are unique."
    return _result("ids_are_unique", not repeated, sum(repeated.values()), 0, sample, said)


def _names_differ_by_more_than_case(tables: Columns) -> CheckResult:
    import pyarrow.compute as pc

    def judge(some: pa.ChunkedArray) -> tuple[int, list[str]]:
        ids = pc.unique(some)
        low = pc.utf8_lower(ids)
        extra = len(ids) - len(pc.unique(low))
        return extra, ids.filter(pc.is_in(low, _repeated(low, limit=None))).to_pylist() if extra else []

    alike, sample = _found(tables, _NAMED, judge)
    said = _counted("names that differ only by case", alike) or "All names differ by more than case."
    return _result("names_differ_by_more_than_case", not alike, sum(alike.values()), 0, sample, said)


def _found(
    tables: Columns, names: Iterable[str], judge: Callable[[pa.ChunkedArray], tuple[int, list[str]]]
) -> tuple[dict[str, int], list[str]]:
    """How many by table, and ids. What belongs to objects of one name lies in one part, so that ids are compared within it;
    those of objects all at once."""
    counts: dict[str, int] = {}
    sample: list[str] = []
    for table in names:
        for extra, ids in tables.per_part(table, judge):
            if extra:
                counts[table] = counts.get(table, 0) + extra
                sample += ids
    return counts, sample


def _owners_exist(tables: Columns) -> CheckResult:
    dangling: dict[str, int] = {}
    sample: list[str] = []
    for (table, column, owners), strays in zip(OWNERS, tables.strays(), strict=True):
        # most owners lie in the part of what they own
        lost = not_in(strays, [tables.get(owner, "id") for owner in owners]) if len(strays) else strays
        if len(lost):
            dangling[f"{table}.{column}"] = len(lost)
            sample += lost.slice(0, SAMPLE).to_pylist()
    said = _counted("owners that do not exist", dangling) or "Every owner exists."
    return _result("owners_exist", not dangling, sum(dangling.values()), 0, sample, said)


def _children_match_configuration(tables: Columns) -> CheckResult:
    """Each listed child is an object, each top-level object is listed. An external processor lists none."""
    import pyarrow.compute as pc

    name = "children_match_configuration"
    is_listed = pc.equal(tables.get("references", "kind"), "ChildObject")
    roots, listed, kinds = (
        pc.cast(tables.get("references", column).filter(is_listed), "string")
        for column in ("source_id", "target_id", "target_kind")
    )
    if not len(listed):
        return _result(name, True, 0, 0, [], "The source has no list of children to compare with.")
    absent = listed.filter(pc.not_equal(kinds, "object"))
    owners = pc.cast(tables.get("objects", "owner_id"), "string")
    top = tables.get("objects", "id").filter(pc.fill_null(pc.is_in(owners, pc.unique(roots)), False))
    unlisted = not_in(top.unique(), [listed])
    said = (
        f"{len(listed)} children listed, {len(absent)} of them not found, {len(unlisted)} objects not listed."
    )
    wrong = len(absent) + len(unlisted)
    return _result(name, not wrong, wrong, 0, [*absent.to_pylist(), *unlisted.to_pylist()], said)


def _lost_files_are_few(tables: Columns) -> CheckResult:
    """Files are counted by the rows that name them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    paths = [tables.distinct(table, "path") for table in ("objects", "modules", "rejected")]
    files = pc.unique(pa.concat_arrays(paths))
    lost = pc.unique(
        pc.cast(tables.get("rejected", "path"), "string").filter(tables.get("rejected", "is_lost"))
    )
    share = round(len(lost) / max(len(files), 1), 5)
    said = f"{len(lost)} of {len(files)} files were lost."
    sample = lost.slice(0, SAMPLE).to_pylist()
    return _result("lost_files_are_few", share <= MAX_LOST_SHARE, share, MAX_LOST_SHARE, sample, said)


def _no_sudden_loss(version: Version, previous: Version | None) -> CheckResult:
    if previous is None:
        return _result("no_sudden_loss", True, 0, MAX_LOSS, [], "There is no version before this one.")
    losses = {
        table: round(1 - version.rows(table) / before, 4)
        for table in TABLES
        if table != "rejected" and (before := previous.rows(table))
    }
    worst = max([0, *losses.values()])
    fallen = [f"{t}: {previous.rows(t)} → {version.rows(t)}" for t, loss in losses.items() if loss > MAX_LOSS]
    said = f"Against version {previous.id}: " + ("; ".join(fallen) if fallen else "no table lost much.")
    return _result("no_sudden_loss", not fallen, worst, MAX_LOSS, fallen, said)


def _repeated(ids: pa.Array | pa.ChunkedArray, limit: int | None = SAMPLE) -> pa.Array:
    """Values that occur more than once."""
    import pyarrow.compute as pc

    counts = pc.value_counts(ids)
    return counts.field("values").filter(pc.greater(counts.field("counts"), 1)).slice(0, limit)


def _counted(what: str, counts: dict[str, int]) -> str:
    parts = ", ".join(f"{name}: {count}" for name, count in counts.items())
    return f"{sum(counts.values())} {what} ({parts})." if counts else ""


__all__ = ["ERROR", "GATES", "WARN", "CheckResult", "Gate", "evaluate"]
