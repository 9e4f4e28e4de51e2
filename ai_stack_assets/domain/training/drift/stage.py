"""The drift of a week as a version in the lake: what moved since each champion was trained; a sample for later weeks.

    <data>/lake/training/drift/<week>/<version>/sample/00000.parquet      rows of the features table
    <data>/lake/training/drift/<week>/<version>/version.json              the report, as `facts`: what the sensors read

Like is compared with like: methods of the configurations then and now, not what the dataset's filters left of them. Champions
that were trained for the same state of the code share a comparison; each model is trained, or not, for what its own one found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training.drift import performance, report, vectors
from ai_stack_assets.domain.training.drift.performance import Performance
from ai_stack_assets.domain.training.drift.pictures import pictures
from ai_stack_assets.domain.training.drift.report import DriftReport, Vectorise
from ai_stack_assets.domain.training.drift.settings import LEVELS, NONE, DriftSettings

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Model, Task
    from ai_stack_assets.domain.training.known import Known

CODE_VERSION = "2"
TABLE, SAMPLE = "features", "sample"
NO_REFERENCE = "there is nothing to compare with yet"


@dataclass(frozen=True)
class Measured:
    """How a champion can be measured. `recorded`: its metric when it was chosen. `examples`: of rows of the features table."""

    recorded: float
    load: Callable[[], Model]
    examples: Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class InService:
    """A champion. `known` is None when nobody knows any more what it was trained for."""

    task: Task
    version: str
    known: Known | None
    measured: Measured | None = None
    """None for one whose examples cannot be had from code as it is now."""


Found = Mapping[str, DriftReport]
"""By task, of the champions with something to compare with."""


def build(
    lake: Lake,
    week: str,
    features: Sequence[Version],
    champions: Sequence[InService],
    settings: DriftSettings,
    *,
    vectorise: tuple[str, Vectorise] = ("LSA", vectors.lsa),
    more: Callable[[Found], Mapping[str, Any]] = lambda _: {},
    more_depends_on: Sequence[Any] = (),
    say: Callable[[str], None] = print,
) -> Made:
    """The week's report, made unless it is there. `Made.facts`: of the loudest comparison `level`, `reasons`, `pictures` (title →
    markdown) and numbers; `performance` of all champions.

    Args:
        lake: `training/drift`.
        features: versions of the configurations' features, as they are now.
        vectorise: with the name that says when it is another one.
        more: facts to keep beside the report, such as which models are trained; made anew when `more_depends_on` is another.
    """
    maker, vectors_of = vectorise
    depends_on = {
        "settings": asdict(settings),
        "champions": sorted(
            (each.task.NAME, each.version, each.known and each.known.name) for each in champions
        ),
        "vectors": maker,
        "more": more_depends_on,
    }
    version_id = stage.key(CODE_VERSION, *features, **depends_on)

    def write(parts: stage.Parts) -> dict[str, Any]:
        current = sample(features, settings.sample)
        parts.write(SAMPLE, current)
        found = _reports(current, week, champions, settings, vectors_of, say)
        loudest = max(found.values(), key=lambda each: LEVELS.index(each.level), default=None)
        shown = loudest or DriftReport("", week, (0, current.num_rows), 0, NONE, (NO_REFERENCE,))
        say(f"drift {shown.level}: {shown.reason}")
        read = {"features": {version.configuration: version.id for version in features}}
        measured = {one.task: one for each in found.values() for one in each.performance}
        performances = {"performance": [asdict(one) for one in measured.values()]}
        return {**shown.facts(), **performances, **read, "pictures": pictures(shown), **more(found)}

    return Made(*stage.build(lake, week, version_id, write))


def sample(features: Sequence[Version], rows: int) -> pa.Table:
    """The methods with the lowest hashes, each once: the same ones of two versions, so that the choice adds no difference.

    Relies on the parts of a features version being in the order of `content_hash`. Memory: `rows` of each version.

    Raises:
        PermanentError: there are no rows.
    """
    import numpy as np
    import pyarrow as pa

    found = []
    for version in features:
        count, batches = 0, version.batches(TABLE)
        while count < rows and (batch := next(batches, None)) is not None:
            found.append(batch)
            count += batch.num_rows
    if not sum(batch.num_rows for batch in found):
        raise PermanentError("no configuration has features: materialise the features first")
    table = pa.Table.from_batches(found).sort_by(performance.KEY)
    keys = table[performance.KEY].to_numpy()
    return table.take(pa.array(np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))[:rows]))


def _reports(
    current: pa.Table,
    week: str,
    champions: Sequence[InService],
    settings: DriftSettings,
    vectorise: Vectorise,
    say: Callable[[str], None],
) -> dict[str, DriftReport]:
    """One comparison for each state of the code that champions were trained for."""
    known = {each.known.name: each.known for each in champions if each.known}
    found = {}
    for name, one in known.items():
        before = one.sample()
        fresh = performance.fresh(current, before, settings.sample)
        mine = [each for each in champions if each.known and each.known.name == name]
        measured = [_measured(each, fresh, settings, say) for each in mine if each.measured]
        names = (one.week, week)
        made = report.compare(
            before, current, settings, names=names, vectorise=vectorise, performance=measured
        )
        found |= {each.task.NAME: made for each in mine}
    return found


def _measured(
    champion: InService, fresh: pa.Table, settings: DriftSettings, say: Callable[[str], None]
) -> Performance:
    task, known, measured = champion.task, champion.known, champion.measured
    assert known and measured

    def unknown(rows: int, note: str) -> Performance:
        return Performance(task.NAME, task.METRIC, measured.recorded, rows, note=note)

    seen = known.seen()
    if seen is None:
        return unknown(0, f"nobody knows any more which code version {champion.version} has seen")
    rows = performance.unseen(fresh, seen, known.since)
    try:
        examples = measured.examples(rows) if rows.num_rows else rows
    except PermanentError as error:
        # no labels, one class: of the fresh code, not a fault
        return unknown(0, str(error))
    if examples.num_rows < settings.fresh_rows:
        return unknown(
            examples.num_rows, f"{examples.num_rows} fresh examples, {settings.fresh_rows} are needed"
        )
    found = performance.measure(task, measured.load(), examples, measured.recorded, seed=settings.seed)
    say(
        f"{task.NAME}: {task.METRIC} {found.value} on {found.rows} fresh examples, {measured.recorded} when chosen"
    )
    return found
