"""What happened to methods: which were added, changed and removed on which day, and what that says on a given day of each.

Pure: from rows of `history_changes` to columns. `before` looks only at what was known when the day ended, `after` only at what
came later: an example's features come from the one, its label from the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ai_stack_assets.domain.onec.history.state import ADDED, METHOD
from ai_stack_assets.domain.training.change_risk.columns import PAST
from ai_stack_assets.domain.training.families import family

if TYPE_CHECKING:
    import pyarrow as pa

YEAR = timedelta(days=365)


class Event(NamedTuple):
    """One method added, changed or removed. `id`: `methods.id`."""

    day: date
    change: str
    id: str


@dataclass(frozen=True)
class Events:
    """All that is known of a configuration's methods since its first day."""

    first: date
    events: Sequence[Event] = field(default_factory=list)
    """In order of days."""

    @cached_property
    def by_method(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.id].append(event)
        return dict(found)


def events(first: date, rows: Iterable[Mapping[str, str]]) -> Events:
    """From rows of `history_changes`."""
    found = [Event(date.fromisoformat(r["day"]), r["change"], r["id"]) for r in rows if r["what"] == METHOD]
    return Events(first, sorted(found))


def before(known: Events, ids: Sequence[str], day: date) -> pa.Table:
    """Columns of `columns.PAST` for methods that there were when the day ended, in order."""
    import pyarrow as pa

    context = _Context(known, ids, day)
    rows = [(*_own(known.by_method.get(i, ()), day), *context.of(i)) for i in ids]
    columns = list(zip(*rows, strict=True)) or [()] * len(PAST)
    return pa.table([pa.array(c, pa.float32()) for c in columns], names=list(PAST))


def after(known: Events, ids: Sequence[str], day: date, within: timedelta = YEAR) -> list[bool]:
    """Whether each was changed or removed after that day and until `within` later."""
    return [
        any(day < event.day <= day + within and event.change != ADDED for event in known.by_method.get(i, ()))
        for i in ids
    ]


def module_of(method_id: str) -> str:
    """Names have no dots, so what stands before the last one is the module."""
    return method_id.rpartition(".")[0]


def _own(events: Iterable[Event], day: date) -> tuple[float | None, ...]:
    past = [event for event in events if event.day <= day]
    added = [event.day for event in past if event.change == ADDED]
    changed = [event.day for event in past if event.change != ADDED and (not added or event.day > added[-1])]
    return (
        (day - added[-1]).days if added else None,
        (day - changed[-1]).days if changed else None,
        sum(day - d < YEAR for d in changed),
        sum(day - d < 3 * YEAR for d in changed),
    )


class _Context:
    """What happened around a method."""

    def __init__(self, known: Events, ids: Sequence[str], day: date) -> None:
        self._methods = Counter(map(module_of, ids))
        self._family_methods = Counter(map(_family, ids))
        recent = [event for event in known.events if day - 3 * YEAR < event.day <= day]
        year = [event for event in recent if day - event.day < YEAR]
        self._three_years = Counter(module_of(event.id) for event in recent)
        self._year = Counter(module_of(event.id) for event in year)
        self._added = Counter(module_of(event.id) for event in year if event.change == ADDED)
        self._family_year = Counter(_family(event.id) for event in year)

    def of(self, method_id: str) -> tuple[float, ...]:
        module, kin = module_of(method_id), _family(method_id)
        methods = self._methods[module]
        return (
            methods,
            self._year[module] / methods,
            self._three_years[module] / methods,
            self._added[module] / methods,
            self._family_year[kin] / self._family_methods[kin],
        )


def _family(method_id: str) -> str:
    return family(method_id)
