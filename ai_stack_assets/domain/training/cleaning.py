"""What is removed once nobody needs it: temporary files, checkpoints of fits that nobody goes on with, old weeks, old runs.

Never anything of a model in use: its weeks, its runs and its versions stay. Each kind is cleaned even if another fails.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.evaluation.cost import size_bytes

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.training.registry.registry import Registry
    from ai_stack_assets.domain.training.settings import Retention

_DAY = 86_400


@dataclass(frozen=True)
class Removed:
    """One thing that is gone. `kind`: temporary, checkpoint, week or run."""

    kind: str
    what: str
    bytes: int = 0


@dataclass
class Cleaned:
    """`problems`: what could not be cleaned, and why; the next time may."""

    removed: list[Removed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.removed)


def clean(
    work: Path,
    lakes: Iterable[Lake],
    registry: Registry,
    retention: Retention,
    *,
    now: Callable[[], float] = time.time,
) -> Cleaned:
    """Removes what is older than `retention` says.

    Args:
        work: folder of the stage on this machine: `checkpoints/<task>/<version>`, else temporary.
        lakes: of the stage, whose folders are weeks.
    """
    cleaned = Cleaned()
    _try(cleaned, "temporary files", lambda: _temporary(work, now() - retention.temporary_days * _DAY))
    _try(cleaned, "checkpoints", lambda: _checkpoints(work, now() - retention.checkpoint_days * _DAY))
    try:
        kept = weeks_in_use(registry)
    except (TransientError, PermanentError) as error:
        # without knowing what is in use nothing of it may be touched
        cleaned.problems.append(f"weeks and runs: {error}")
        return cleaned
    for lake in lakes:
        _try(cleaned, lake.place, lambda lake=lake: _weeks(lake, retention.weeks, kept))
    for name in tasks.NAMES:
        _try(cleaned, f"runs of {name}", lambda name=name: _runs(registry, name, retention.runs))
    return cleaned


def weeks_in_use(registry: Registry) -> set[str]:
    """Weeks that a champion was fitted on."""
    champions = filter(None, (registry.champion(name) for name in tasks.NAMES))
    return {champion.tags.get("week", "") for champion in champions} - {""}


def _try(cleaned: Cleaned, what: str, clean_one: Callable[[], Iterator[Removed]]) -> None:
    try:
        cleaned.removed.extend(clean_one())
    except (TransientError, PermanentError, OSError) as error:
        cleaned.problems.append(f"{what}: {error}")


def _temporary(work: Path, before: float) -> Iterator[Removed]:
    for path in sorted(work.glob("*")):
        if path.name != "checkpoints" and _touched(path) < before:
            yield _remove("temporary", path)


def _checkpoints(work: Path, before: float) -> Iterator[Removed]:
    for path in sorted(work.glob("checkpoints/*/*")):
        if _touched(path) < before:
            yield _remove("checkpoint", path)


def _weeks(lake: Lake, newest: int, kept: set[str]) -> Iterator[Removed]:
    weeks = lake.configurations()
    for week in weeks[: max(0, len(weeks) - newest)]:
        if week not in kept:
            size = size_bytes(lake.folder(week))
            lake.remove(week)
            yield Removed("week", f"{lake.place}/{week}", size)


def _runs(registry: Registry, name: str, keep: int) -> Iterator[Removed]:
    for run in registry.cleanup(name, keep=keep).runs:
        yield Removed("run", f"{name} {run}")


def _remove(kind: str, path: Path) -> Removed:
    size = size_bytes(path) if path.is_dir() else path.stat().st_size
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return Removed(kind, str(path), size)


def _touched(path: Path) -> float:
    """When anything in it was last written."""
    return max((p.stat().st_mtime for p in (path, *path.rglob("*"))), default=0)
