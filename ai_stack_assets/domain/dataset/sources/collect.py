"""One source's snapshot of a week, as a stage in the lake: read, found unchanged, kept, off, or failed with its reason.

A source that fails does not stop the others: what it was asked for and why it failed is its outcome, and the merge goes on with
what the others have. A failed source whose snapshot of this week is there from an earlier run keeps that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.sources.harvest import Report

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version

CODE_VERSION = "1"
READ, UNCHANGED, KEPT, OFF, FAILED = "read", "unchanged", "kept", "off", "failed"
_FAILURE = "failure"


@dataclass(frozen=True)
class Source:
    """A way to ask one source: first what there is (cheap, by key), then the records."""

    name: str
    look: Callable[[Report], tuple[str, Any]]
    """Fills the report; returns the snapshot's key and the snapshot."""
    read: Callable[[Any, Report], Iterator[pa.Table]]
    off: str = ""
    """Why there is nothing to ask, when there is not."""
    is_slow: bool = False
    """To look takes nearly as long as to read: not done for the look's sake."""
    describe: Callable[[Any], dict[str, Any]] = lambda _: {}
    """What to keep of a snapshot beside its rows: commits, for one."""


@dataclass(frozen=True)
class Outcome:
    """What came of asking one source for one week."""

    source: str
    state: str
    version: Version | None
    """With tables `records` and `rejected`; None when there are no rows to go on with."""
    reason: str = ""
    report: Report = field(default_factory=Report)

    @property
    def missed(self) -> int:
        """Repositories that could not be read at all."""
        return self.report.counts["repositories_missed"]

    @property
    def told(self) -> str:
        return self.reason or (f"{self.missed} repositories could not be read" if self.missed else "")

    @property
    def rows(self) -> int:
        return self.version.rows("records") if self.version else 0


def collect(
    source: Source, lake: Lake, week: str, *, is_past: bool = False, may_fail: bool = True
) -> Outcome:
    """Ask a source and leave its records in the lake.

    Args:
        lake: of this source.
        is_past: the week is over and was read before: its snapshot is what a rebuild starts from, and is not read anew.
        may_fail: turn a failure into an outcome. False while there are tries left: then TransientError is raised.
    """
    usable = snapshot(lake, week)
    if source.off:
        return Outcome(source.name, OFF, _mark(lake, week, OFF, source.off), source.off)
    if is_past and usable:
        return Outcome(source.name, KEPT, usable)
    report = Report()
    try:
        found, content = source.look(report)
        version_id = stage.key(CODE_VERSION, source=source.name, snapshot=found)
        version, is_new = stage.build(
            lake, week, version_id, lambda parts: _write(source, content, report, parts)
        )
    except Exception as error:
        if isinstance(error, TransientError) and not may_fail:
            raise
        # whatever it is, a full disk or a fault of ours: the other sources go on
        reason = _reason(error)
        return Outcome(source.name, FAILED, usable or _mark(lake, week, FAILED, reason), reason, report)
    return Outcome(source.name, READ if is_new else UNCHANGED, version, report=report)


def is_unchanged(source: Source, lake: Lake, week: str, *, is_past: bool = False) -> bool:
    """Whether `collect` would find what the lake has. False, too, where only the reading can tell."""
    current = lake.current(week)
    if current is None:
        return False
    if source.off:
        return failure(current) == f"{OFF}: {source.off}"
    if is_past and not failure(current):
        return True
    if source.is_slow:
        return False
    try:
        found, _ = source.look(Report())
    except Exception as error:
        return failure(current) == f"{FAILED}: {_reason(error)}"
    return current.id == stage.key(CODE_VERSION, source=source.name, snapshot=found)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, PermanentError | TransientError) else repr(error)


def snapshot(lake: Lake, week: str) -> Version | None:
    """What a source has for the week; None when it never answered."""
    version = lake.current(week)
    return None if version is None or failure(version) else version


def failure(version: Version) -> str:
    """`failed: …` or `off: …` when that is all the version tells; empty when it has rows."""
    return version.manifest["facts"].get(_FAILURE, "")


def _write(source: Source, content: Any, report: Report, parts: stage.Parts) -> dict[str, Any]:
    parts.write("records", records.schema().empty_table())
    for table in source.read(content, report):
        parts.write("records", table)
    parts.write("rejected", report.rejected_table())
    return {"statistics": report.statistics, **source.describe(content)}


def _mark(lake: Lake, week: str, state: str, reason: str) -> None:
    """Leave the reason for the merge, which runs in another process, in place of rows."""
    said = f"{state}: {reason}"

    def write(parts: stage.Parts) -> dict[str, Any]:
        parts.write("records", records.schema().empty_table())
        return {_FAILURE: said}

    stage.build(lake, week, stage.key(CODE_VERSION, failure=said), write)
