"""What every source gives beside its snapshot: tables of records, and a report of what it could not use. No reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.dataset.records import schema

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 2_000
"""Records in one table: about 3 MB of code."""
_DETAIL_CHARACTERS = 500


@dataclass
class Report:
    """Filled while a source is looked at and read."""

    rejected: list[tuple[str, str, str]] = field(default_factory=list)
    """Place (repository and path, address of an article), reason (`too_large`, `login_page`…), detail for a person."""
    counts: Counter[str] = field(default_factory=Counter)

    def reject(self, place: str, reason: str, detail: str) -> None:
        self.rejected.append((place, reason, detail[:_DETAIL_CHARACTERS]))

    @property
    def statistics(self) -> dict[str, Any]:
        """Counts by name, and what was rejected by reason: for metadata."""
        return {**dict(sorted(self.counts.items())), "rejected": dict(self.reasons)}

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, reason, _ in self.rejected)

    def rejected_table(self) -> pa.Table:
        """One row for each thing that could not be used: `place, reason, detail`."""
        import pyarrow as pa

        names = ("place", "reason", "detail")
        columns = list(zip(*sorted(self.rejected), strict=True)) or [(), (), ()]
        return pa.table({name: pa.array(c, pa.string()) for name, c in zip(names, columns, strict=True)})


def as_tables(rows: Iterable[dict[str, Any]], report: Report) -> Iterator[pa.Table]:
    """Records in tables of at most `BATCH_ROWS`. Column by column: forty times as fast as `Table.from_pylist`."""
    import pyarrow as pa

    fields, rows = schema(), iter(rows)
    while batch := list(islice(rows, BATCH_ROWS)):
        columns = [pa.array([row[f.name] for row in batch], f.type) for f in fields]
        report.counts["records"] += len(batch)
        yield pa.Table.from_arrays(columns, schema=fields)
