"""What a champion knows: the code of the time that it was trained for, and which code it was trained, chosen and tested on.

    <data>/lake/training/known/<task>/<run>/sample, seen        of the champion and of those before it

Versions of a week make place for newer ones long before a champion does; what it is compared with has to stay as long as it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.training.features.definitions import KEY

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.registry.aliases import Registered

DRIFT, EXAMPLES, WEEK = "drift", "examples", "week"
"""Tags of a champion: versions of the drift that it was trained for and of its examples, and their week."""
SAMPLE, SEEN = "sample", "seen"


@dataclass(frozen=True)
class Known:
    """Of one champion. `name`: equal for champions that were trained for the same state of the code."""

    version: Version

    @property
    def week(self) -> str:
        return self.version.manifest["facts"]["week"]

    @property
    def name(self) -> str:
        return self.version.manifest["facts"]["drift"]

    @property
    def since(self) -> datetime:
        """End of the week: code that was changed before is none that the champion could not have been trained on."""
        return datetime.fromisoformat(self.week).replace(tzinfo=UTC) + timedelta(days=7)

    def sample(self) -> pa.Table:
        """Rows of the features table, as the drift compares them."""
        return self.version.table(SAMPLE)

    def seen(self) -> pa.ChunkedArray | None:
        """Hashes of all code in its three sets; None when that was gone before it was written down."""
        return self.version.table(SEEN)[KEY] if SEEN in self.version.manifest["tables"] else None


def of(lake: Lake, task: str, champion: Registered, drifts: Lake, examples: Lake) -> Known | None:
    """What the champion knows, kept from the first time that it is asked for; None when nobody knows any more.

    Args:
        lake: `training/known`. drifts, examples: of the task; by week.
    """
    for place, kept in enumerate(lake.versions(task)):
        if kept.id == champion.run_id:
            if place:
                # in use again after a rollback: it must not be the oldest, which goes first
                lake.switch(kept)
            return Known(kept)
    week = champion.tags.get(WEEK, "")
    compared = _version(drifts, week, champion.tags.get(DRIFT, "")) or drifts.current(week)
    if compared is None:
        return None
    sets = _version(examples, week, champion.tags.get(EXAMPLES, ""))

    def write(parts: stage.Parts) -> dict[str, Any]:
        _copy(compared, parts)
        if sets:
            for rows in _hashes(sets):
                parts.write(SEEN, rows)
        return {"week": week, "drift": f"{week}/{compared.id}"}

    return Known(stage.build(lake, task, champion.run_id, write)[0])


def _version(lake: Lake, week: str, version_id: str) -> Version | None:
    return next((version for version in lake.versions(week) if version.id == version_id), None)


def _copy(compared: Version, parts: stage.Parts) -> None:
    """The sample as it is; it is that of another lake, which may be in a bucket."""
    rows = compared.rows(SAMPLE)
    for part in compared.parts(SAMPLE):
        target = parts.file(SAMPLE, part.name)
        shutil.copyfile(part, target)
        parts.add_file(SAMPLE, target, rows)
        rows = 0


def _hashes(sets: Version) -> Iterator[pa.Table]:
    for split in SPLITS:
        if KEY in (rows := sets.table(split)).column_names:
            yield rows.select([KEY])
