"""A configuration at one moment, and what differs between two. Pure: from summaries to numbers and ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ai_stack_assets.domain.onec.history.summary import Counts, Summary
from ai_stack_assets.domain.onec.layout import Root

OBJECT, METHOD = "object", "method"
ADDED, CHANGED, REMOVED = "added", "changed", "removed"


class Change(NamedTuple):
    """One object or method that differs between two states."""

    what: str
    change: str
    kind: str
    id: str


class State(NamedTuple):
    root: Root
    groups: dict[str, tuple[bytes, Summary]]
    """Key and summary by top-level object."""
    rejected: int
    """Paths that the listing rejected."""

    def metrics(self) -> dict[str, int]:
        """Numbers by name, equal to what counting rows of the lake's tables gives."""
        summaries = [summary for _, summary in self.groups.values()]
        totals = {
            name: sum(getattr(summary.counts, name) for summary in summaries)
            for name in Counts.__struct_fields__
        }
        bodies = Counter(body for summary in summaries for _, _, body in summary.methods)
        methods = bodies.total()
        return {
            "objects": sum(len(summary.objects) for summary in summaries),
            "methods": methods,
            **totals,
            "rejected": totals["rejected"] + self.rejected,
            "duplicate_methods": methods - len(bodies),
        }

    def kinds(self) -> dict[str, int]:
        """Objects by kind, sorted."""
        found = Counter(kind for _, s in self.groups.values() for _, kind, _ in s.objects)
        return dict(sorted(found.items()))


def changes(before: State, now: State) -> list[Change]:
    """What was added, changed and removed, in order of id. An object counts as changed when its metadata says something else
    (its fields, rights, links included), a method when its source does."""
    names = [
        name
        for name in before.groups.keys() | now.groups.keys()
        if before.groups.get(name, _NOTHING)[0] != now.groups.get(name, _NOTHING)[0]
    ]
    old, new = ([state.groups.get(name, _NOTHING)[1] for name in names] for state in (before, now))
    found = [
        *_changes(OBJECT, (row for s in old for row in s.objects), (row for s in new for row in s.objects)),
        *_changes(METHOD, (row for s in old for row in s.methods), (row for s in new for row in s.methods)),
    ]
    return sorted(found, key=lambda change: (change.what, change.id))


_Rows = Iterable[tuple[str, str, bytes]]
_NOTHING = (b"", Summary([], [], Counts()))


def _changes(what: str, before: _Rows, now: _Rows) -> Iterable[Change]:
    old = {row_id: (kind, digest) for row_id, kind, digest in before}
    for row_id, kind, digest in now:
        was = old.pop(row_id, None)
        if was is None:
            yield Change(what, ADDED, kind, row_id)
        elif was[1] != digest:
            yield Change(what, CHANGED, kind, row_id)
    for row_id, (kind, _) in old.items():
        yield Change(what, REMOVED, kind, row_id)
