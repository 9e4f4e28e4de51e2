"""History of a configuration into the lake, day by day, straight from its repository.

    <data>/lake/history/<configuration>/<day>/<version>/history, history_kinds, history_changes     only days that changed it

A day is a function of the repository alone: its last commit, compared with the state before. So days can be made in any order,
again, or one by one after a failure; one whose commits and readers are the same is done before it begins. In a run over many days
each state is reached from the one before, and nothing is parsed, nor even read, that was there already.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.onec.fact_cache import reader_version
from ai_stack_assets.domain.onec.history.commits import Commit, Log, read_log
from ai_stack_assets.domain.onec.history.reading import StateReader
from ai_stack_assets.domain.onec.history.state import Change, State, changes
from ai_stack_assets.domain.onec.history.tables import ABSENT, READ, HistoryRow, arrow

NO_COMMIT, UNCHANGED, FAILED = "no_commit", "unchanged", "failed"
LOCK_SECONDS = 120


@dataclass(frozen=True)
class Day:
    """What was found for one day. `status`: `read`, `absent`, `unchanged` (no commit that day), `no_commit` (yet) or `failed`."""

    day: date
    status: str
    commit: Commit | None = None
    since: date | None = None
    """Day since which that commit has been the state."""
    row: dict[str, Any] = field(default_factory=dict)
    """Of `history`, on days that changed something."""
    kinds: dict[str, int] = field(default_factory=dict)
    sample: dict[str, list[str]] = field(default_factory=dict)
    """Some ids by sort of change: `method added`."""
    parsed: int = 0
    """Files never parsed before."""
    is_new: bool = False
    """False when the lake had it already."""
    seconds: float = 0.0
    error: Exception | None = None


class History:
    """One configuration's past: its repository's log, and what the lake holds of it."""

    def __init__(
        self,
        source: str,
        lake: Lake,
        cache: Path,
        zone: tzinfo,
        *,
        path: str | None = None,
        workers: int | None = None,
    ) -> None:
        """
        Args:
            source: git URL or repository folder with an optional `@ref`.
            lake: of this configuration's history: its keys are days.
            cache: folder for mirrors and parsed facts, the one that extraction uses.
            zone: where days begin and end.
            path: the configuration's folder when the repository holds several.

        Raises:
            PermanentError: the source is no git repository, or has no such ref.
            TransientError: the network is in the way.
        """
        self.lake, self.cache, self.zone, self.path = lake, cache, zone, path
        self.log: Log = read_log(source, cache / "sources", zone)
        self._reader = StateReader(self.log, path, cache / "facts.sqlite", workers)

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the processes that read."""
        self._reader.close()

    def days(self, days: Iterable[date]) -> Iterator[Day]:
        """Bring these days up to date, oldest first. One that fails is told as such, and the others go on."""
        for day in sorted(days):
            start = time.perf_counter()
            try:
                found = self._day(day)
            except (PermanentError, TransientError, OSError) as error:
                found = Day(day, FAILED, error=error)
            yield replace(found, seconds=round(time.perf_counter() - start, 3))

    @cached_property
    def kept(self) -> dict[str, dict[str, Any]]:
        """What the lake holds: facts (`row`, `kinds`, …) by day, in order."""
        found = {day: self.lake.require(day).manifest["facts"] for day in self.lake.configurations()}
        return dict(sorted(found.items()))

    @property
    def outdated(self) -> list[str]:
        """Days of the lake whose commit the ref no longer ends that day with: its past was rewritten."""
        states = {day.isoformat(): commit.id for day, commit in self.log.states}
        return [day for day, facts in self.kept.items() if facts["row"]["commit"] != states.get(day)]

    def _day(self, day: date) -> Day:
        index = self.log.index(day)
        if index is None:
            self._drop(day)
            return Day(day, NO_COMMIT)
        since, commit = self.log.states[index]
        if since != day:
            self._drop(day)
            return Day(day, UNCHANGED, commit, since)
        key = stage.key(
            reader_version(),
            commit=commit.id,
            before=self.log.states[index - 1][1].id if index else None,
            is_shallow=self.log.is_shallow and not index,
            path=self.path,
            zone=str(self.zone),
        )
        current = self.lake.current(day.isoformat())
        if current and current.id == key:
            return _found(day, commit, current.manifest["facts"], is_new=False)
        return _found(day, commit, self._make(index, key), is_new=True)

    def _make(self, index: int, key: str) -> dict[str, Any]:
        day, commit = self.log.states[index]
        parsed_before = self._reader.parsed
        previous = self._reader.readable_before(index)
        now = self._reader.state(index)
        found: list[Change] = []
        before: Commit | None = None
        if previous and isinstance(now, State):
            before, found = previous[0], changes(previous[1], now)
        row = _row(day, commit, now, before, found)
        kinds = now.kinds() if isinstance(now, State) else {}
        facts = {
            "row": row._asdict(),
            "kinds": kinds,
            "sample": _sample(found),
            "parsed": self._reader.parsed - parsed_before,
        }
        name = day.isoformat()

        def write(parts: stage.Parts) -> dict[str, Any]:
            parts.write("history", arrow("history", [row]))
            parts.write("history_kinds", arrow("history_kinds", [(name, *item) for item in kinds.items()]))
            parts.write("history_changes", arrow("history_changes", [(name, *change) for change in found]))
            return facts

        with self._alone():
            stage.build(self.lake, name, key, write)
        self.kept[name] = facts
        return facts

    def _drop(self, day: date) -> None:
        """What an earlier past of the ref had left for a day that has no commit of its own now."""
        if day.isoformat() in self.kept:
            with self._alone():
                self.lake.remove(day.isoformat())
            del self.kept[day.isoformat()]

    def _alone(self) -> FileLock:
        """Two runs may be at the same day: the lake takes one writer at a time."""
        folder = self.cache / "history"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{Path(str(self.lake.root)).name}.lock", timeout=LOCK_SECONDS)


SAMPLE = 20


def _sample(found: Iterable[Change]) -> dict[str, list[str]]:
    sample: dict[str, list[str]] = {}
    for change in found:
        ids = sample.setdefault(f"{change.what} {change.change}", [])
        if len(ids) < SAMPLE:
            ids.append(change.id)
    return sample


def _row(
    day: date, commit: Commit, now: State | PermanentError, previous: Commit | None, found: Iterable[Change]
) -> HistoryRow:
    is_read = isinstance(now, State)
    numbers: dict[str, int | None] = dict(now.metrics()) if is_read else {}
    if previous:
        numbers |= dict.fromkeys(_CHURN, 0)
        for change in found:
            name = f"{change.what}s_{change.change}"
            numbers[name] = (numbers[name] or 0) + 1
    text = {
        "day": day.isoformat(),
        "commit": commit.id,
        "committed_at": commit.at.isoformat(),
        "previous_commit": previous.id if previous else None,
        "status": READ if is_read else ABSENT,
        "reason": None if is_read else str(now),
    }
    defaults = {name: None if name in _CHURN else 0 for name in HistoryRow._fields}
    return HistoryRow(**{**defaults, **numbers, **text})  # ty: ignore[invalid-argument-type]


_CHURN = tuple(name for name in HistoryRow._fields if name.startswith(("objects_", "methods_")))


def _found(day: date, commit: Commit, facts: dict[str, Any], *, is_new: bool) -> Day:
    return Day(
        day,
        facts["row"]["status"],
        commit,
        day,
        facts["row"],
        facts["kinds"],
        facts["sample"],
        facts["parsed"] if is_new else 0,
        is_new,
    )
