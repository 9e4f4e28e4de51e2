"""Keeping a store equal to a lake version: compare, write the difference only, compare again. The same for every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.common.difference import row_changes
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.memory import give_back

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.stores.contract import Store

SAMPLE = 20
MAX_SHRINK = 0.5
"""Share of a store's rows that one synchronisation may remove without an explicit yes."""
SHRINK_FLOOR = 100
"""Below so many rows a store may shrink freely, unless to zero."""


@dataclass(frozen=True)
class Difference:
    """What must be done to one collection. Arrays of ids."""

    collection: str
    expected_rows: int
    actual_rows: int
    added: pa.Array
    changed: pa.Array
    removed: pa.Array

    @property
    def is_empty(self) -> bool:
        return not (len(self.added) or len(self.changed) or len(self.removed))

    def sample(self) -> dict[str, list[str]]:
        """At most 20 ids of each sort: missing in the store, different in it, not in the lake."""
        parts = {"missing": self.added, "different": self.changed, "unexpected": self.removed}
        return {name: ids.slice(0, SAMPLE).to_pylist() for name, ids in parts.items() if len(ids)}


@dataclass(frozen=True)
class CollectionReport:
    rows: int
    added: int
    changed: int
    removed: int
    bytes: int


@dataclass
class SyncReport:
    """What one synchronisation did, and what it left different (nothing, or parity is broken)."""

    store: str
    configuration: str
    version: str
    collections: dict[str, CollectionReport] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def total(self, what: str) -> int:
        return sum(getattr(report, what) for report in self.collections.values())


def difference(collection: str, expected: pa.Table, actual: pa.Table) -> Difference:
    """Compare by id and content hash. Both tables: `id, content_hash`."""
    return Difference(collection, expected.num_rows, actual.num_rows, *row_changes(expected, actual))


def compare(store: Store, version: Version, collections: Sequence[str] | None = None) -> list[Difference]:
    """Parity: what differs between the store and the lake, per collection (of all when None). Reads only.

    The lake's side is made beside the reading of the store's: most of either is waiting, or Arrow's own threads.
    """
    found = []
    with ThreadPoolExecutor(1) as beside:
        for collection in store.collections if collections is None else collections:
            expected = beside.submit(store.expected, version, collection)
            actual = store.actual(collection)
            found.append(difference(collection, expected.result(), actual))
            del expected, actual
            give_back()
    return found


def synchronise(
    store: Store,
    version: Version,
    *,
    allow_shrink: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> SyncReport:
    """Make the store equal to the version, then verify by reading back what was written to.

    Raises PermanentError when the store would lose most of its rows and `allow_shrink` is not set.
    """
    clock = PhaseClock()
    report = SyncReport(store.name, store.configuration, version.id, seconds=clock.seconds)
    found = compare(store, version)
    clock.lap("compare")
    if not allow_shrink:
        guard_against_shrink(store, found)
    work = [d for d in found if not d.is_empty]
    report.collections = {
        d.collection: CollectionReport(d.expected_rows, len(d.added), len(d.changed), len(d.removed), 0)
        for d in found
    }
    del found
    if work:
        written_to = [d.collection for d in work] if store.writes_in_place else None
        with store.transaction():
            for d in reversed(work):
                if len(d.removed):
                    store.delete(d.collection, d.removed)
            while work:  # what is written is let go: all ids of a first load are hundreds of MB
                d = work.pop(0)
                sent = _write(store, version, d)
                report.collections[d.collection] = replace(report.collections[d.collection], bytes=sent)
                progress(f"{store.name}: {d.collection} +{len(d.added)} ~{len(d.changed)} -{len(d.removed)}")
                del d
                give_back()
        clock.lap("write")
        report.differences = [d for d in compare(store, version, written_to) if not d.is_empty]
        clock.lap("verify")
    return report


def guard_against_shrink(store: Store, differences: list[Difference]) -> None:
    had = sum(d.actual_rows for d in differences)
    will_have = sum(d.expected_rows for d in differences)
    if had and (will_have == 0 or (had > SHRINK_FLOOR and will_have < had * (1 - MAX_SHRINK))):
        raise PermanentError(
            f"{store.name}: {store.configuration} would shrink from {had} rows to {will_have}; nothing was changed. "
            "If the configuration really became so small, say so: make run ARGS=--allow-shrink, or allow_shrink: true in "
            "the configuration of the run"
        )


def _write(store: Store, version: Version, d: Difference) -> int:
    import pyarrow as pa

    if not d.actual_rows:
        return store.upsert(version, d.collection, None)
    ids = pa.concat_arrays([d.added, d.changed])
    return store.upsert(version, d.collection, ids) if len(ids) else 0
