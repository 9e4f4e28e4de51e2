"""The gates: what must hold for a version of the lake before anything follows it. Reads the tables, judges,
writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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

_OWNERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("objects", "owner_id", ("objects",)),
    ("fields", "object_id", ("objects",)),
    ("fields", "parent_id", ("fields",)),
    ("modules", "object_id", ("objects",)),
    ("methods", "module_id", ("modules",)),
    ("methods", "object_id", ("objects",)),
    ("calls", "module_id", ("modules",)),
    ("calls", "caller_id", ("methods", "modules")),
    ("calls", "target_id", ("methods",)),
    ("queries", "object_id", ("objects",)),
    ("queries", "place_id", ("methods", "modules", "fields", "objects")),
    ("references", "source_object_id", ("objects",)),
)
"""Column that points at the id of one of these tables. Nulls point nowhere."""

_OTHER_COLUMNS = {
    "objects": ("path",),
    "modules": ("path",),
    "rejected": ("path", "is_lost"),
    "references": ("kind", "source_id", "target_id", "target_kind"),
}
_NAMED = ("objects", "fields", "modules", "methods")
"""Tables whose ids are names, which 1C compares without case; the ids of the others are made of these."""
_BY_PART = ("references", "calls", "queries")
"""Their ids begin with those of rows that lie in the same part: compared within it, 0.02 s instead of 0.3 and none kept."""


def evaluate(version: Version, previous: Version | None) -> list[CheckResult]:
    """Judge a version. `previous` is the one before it, if any."""
    tables = _Columns(version)
    return [
        _is_not_empty(version),
        _ids_are_unique(tables),
        _names_differ_by_more_than_case(tables),
        _owners_exist(tables),
        _children_match_configuration(tables),
        _lost_files_are_few(tables),
        _no_sudden_loss(version, previous),
    ]


class _Columns:
    """The columns that the gates need: each table is read once, part by part."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._tables: dict[str, pa.Table] = {}

    def get(self, table: str, column: str) -> pa.ChunkedArray:
        """Ids and flags as they are, all other columns as dictionaries."""
        if table not in self._tables:
            self._tables[table] = self._table(table)
        return self._tables[table][column]

    def ids(self, table: str, *, by_part: bool) -> Iterator[pa.ChunkedArray]:
        import pyarrow.parquet as pq

        if by_part:
            yield from (pq.read_table(part, columns=["id"])["id"] for part in self.version.parts(table))
        else:
            yield self.get(table, "id")

    def distinct(self, table: str, column: str) -> pa.Array:
        """Distinct values without null: 300,000 rows cost no more than their dictionaries."""
        import pyarrow as pa

        values = [chunk.dictionary for chunk in self.get(table, column).chunks]
        return pa.chunked_array(values, pa.string()).unique().drop_null()

    def _table(self, table: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        ids = [] if table in _BY_PART else ["id"]
        columns = [*ids, *_OTHER_COLUMNS.get(table, ()), *(c for t, c, _ in _OWNERS if t == table)]
        words = [c for c in columns if c not in ("id", "is_lost")]
        parts = [
            pq.ParquetFile(part, read_dictionary=words).read(columns=columns)
            for part in self.version.parts(table)
        ]
        if parts:
            return pa.concat_tables(parts)
        empty = self.version.table(table, columns)
        return pa.table({c: empty[c].dictionary_encode() if c in words else empty[c] for c in columns})


def _result(
    name: str, passed: bool, actual: float, threshold: float, sample: Iterable[str], said: str
) -> CheckResult:
    gate = GATES[name]
    return CheckResult(name, passed, gate.severity, actual, threshold, list(sample)[:SAMPLE], said)


def _is_not_empty(version: Version) -> CheckResult:
    rows = version.rows("objects")
    return _result("is_not_empty", rows > 0, rows, 1, [], f"{rows} objects.")


def _ids_are_unique(tables: _Columns) -> CheckResult:
    import pyarrow.compute as pc

    repeated: dict[str, int] = {}
    sample: list[str] = []
    for table in TABLES:
        for some in tables.ids(table, by_part=table in _BY_PART):
            if extra := len(some) - len(pc.unique(some)):
                repeated[table] = repeated.get(table, 0) + extra
                sample += _repeated(some).to_pylist()
    said = _counted("repeated ids", repeated) or "All ids are unique."
    return _result("ids_are_unique", not repeated, sum(repeated.values()), 0, sample, said)


def _names_differ_by_more_than_case(tables: _Columns) -> CheckResult:
    import pyarrow.compute as pc

    alike: dict[str, int] = {}
    sample: list[str] = []
    for table in _NAMED:
        # what belongs to objects of one name lies in one part
        for some in tables.ids(table, by_part=table != "objects"):
            ids = pc.unique(some)
            low = pc.utf8_lower(ids)
            if extra := len(ids) - len(pc.unique(low)):
                alike[table] = alike.get(table, 0) + extra
                sample += ids.filter(pc.is_in(low, _repeated(low, limit=None))).to_pylist()
    said = _counted("names that differ only by case", alike) or "All names differ by more than case."
    return _result("names_differ_by_more_than_case", not alike, sum(alike.values()), 0, sample, said)


def _owners_exist(tables: _Columns) -> CheckResult:
    dangling: dict[str, int] = {}
    sample: list[str] = []
    for table, column, owners in _OWNERS:
        lost = _not_in(tables.distinct(table, column), [tables.get(owner, "id") for owner in owners])
        if len(lost):
            dangling[f"{table}.{column}"] = len(lost)
            sample += lost.slice(0, SAMPLE).to_pylist()
    said = _counted("owners that do not exist", dangling) or "Every owner exists."
    return _result("owners_exist", not dangling, sum(dangling.values()), 0, sample, said)


def _children_match_configuration(tables: _Columns) -> CheckResult:
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
    unlisted = _not_in(top.unique(), [listed])
    said = (
        f"{len(listed)} children listed, {len(absent)} of them not found, {len(unlisted)} objects not listed."
    )
    wrong = len(absent) + len(unlisted)
    return _result(name, not wrong, wrong, 0, [*absent.to_pylist(), *unlisted.to_pylist()], said)


def _lost_files_are_few(tables: _Columns) -> CheckResult:
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


def _not_in(values: pa.Array, owners: Iterable[pa.ChunkedArray]) -> pa.Array:
    """Values that are in none of the sets."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.chunked_array([chunk for owner in owners for chunk in owner.chunks], pa.string())
    return values.filter(pc.invert(pc.is_in(values, known)))


def _repeated(ids: pa.Array | pa.ChunkedArray, limit: int | None = SAMPLE) -> pa.Array:
    """Values that occur more than once."""
    import pyarrow.compute as pc

    counts = pc.value_counts(ids)
    return counts.field("values").filter(pc.greater(counts.field("counts"), 1)).slice(0, limit)


def _counted(what: str, counts: dict[str, int]) -> str:
    parts = ", ".join(f"{name}: {count}" for name, count in counts.items())
    return f"{sum(counts.values())} {what} ({parts})." if counts else ""


__all__ = ["ERROR", "GATES", "WARN", "CheckResult", "Gate", "evaluate"]
