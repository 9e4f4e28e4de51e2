"""The drift of a week as a version in the lake: what moved since the champions' week; a sample for later weeks to compare with.

    <data>/lake/training/drift/<week>/<version>/sample/00000.parquet      rows of the features table
    <data>/lake/training/drift/<week>/<version>/version.json              the report, as `facts`: what the sensors read

Like is compared with like: methods of the configurations then and now, not what the dataset's filters left of them.
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
from ai_stack_assets.domain.training.drift.settings import NONE, DriftSettings

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Model, Task

CODE_VERSION = "1"
TABLE, SAMPLE = "features", "sample"
NO_REFERENCE = "there is nothing to compare with yet"


@dataclass(frozen=True)
class InService:
    """A champion. `recorded`: its metric when it was chosen. `examples`: from fresh rows of features to examples of the task."""

    task: Task
    version: str
    recorded: float
    load: Callable[[], Model]
    examples: Callable[[pa.Table], pa.Table]


def build(
    lake: Lake,
    week: str,
    features: Sequence[Version],
    reference: Version | None,
    settings: DriftSettings,
    *,
    champions: Sequence[InService] = (),
    vectorise: tuple[str, Vectorise] = ("LSA", vectors.lsa),
    more: Callable[[DriftReport], Mapping[str, Any]] = lambda _: {},
    more_depends_on: Sequence[Any] = (),
    say: Callable[[str], None] = print,
) -> Made:
    """The week's report, made unless it is there. `Made.facts`: `level`, `reasons`, `pictures` (title → markdown), numbers.

    Args:
        lake: `training/drift`.
        features: versions of the configurations' features, as they are now.
        reference: version in this lake of the week that the champions were trained in; None: there is none yet.
        champions: those that can be measured on fresh code.
        vectorise: with the name that says when it is another one.
        more: facts to keep beside the report, such as which models are trained; made anew when `more_depends_on` is another.
    """
    maker, vectors_of = vectorise
    versions = sorted((champion.task.NAME, champion.version) for champion in champions)
    depends_on = {
        "settings": asdict(settings),
        "champions": versions,
        "vectors": maker,
        "more": more_depends_on,
    }
    version_id = stage.key(CODE_VERSION, *features, reference, **depends_on)

    def write(parts: stage.Parts) -> dict[str, Any]:
        current = sample(features, settings.sample)
        parts.write(SAMPLE, current)
        found = _report(current, week, reference, settings, champions, vectors_of, say)
        say(f"drift {found.level}: {found.reason}")
        read = {"features": {version.configuration: version.id for version in features}}
        compared = reference and {"week": reference.configuration, "version": reference.id}
        return {**found.facts(), **read, "reference": compared, "pictures": pictures(found), **more(found)}

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


def _report(
    current: pa.Table,
    week: str,
    reference: Version | None,
    settings: DriftSettings,
    champions: Sequence[InService],
    vectorise: Vectorise,
    say: Callable[[str], None],
) -> DriftReport:
    if reference is None:
        return DriftReport("", week, (0, current.num_rows), 0, NONE, (NO_REFERENCE,))
    before = reference.table(SAMPLE)
    fresh = performance.fresh(current, before)
    measured = [_measured(champion, fresh, settings, say) for champion in champions]
    names = (reference.configuration, week)
    return report.compare(before, current, settings, names=names, vectorise=vectorise, performance=measured)


def _measured(
    champion: InService, fresh: pa.Table, settings: DriftSettings, say: Callable[[str], None]
) -> Performance:
    task = champion.task
    try:
        examples = champion.examples(fresh) if fresh.num_rows else fresh
    except PermanentError as error:
        # no labels, one class: of the fresh code, not a fault
        return Performance(task.NAME, task.METRIC, champion.recorded, 0, note=str(error))
    if examples.num_rows < settings.fresh_rows:
        note = f"{examples.num_rows} fresh examples, {settings.fresh_rows} are needed"
        return Performance(task.NAME, task.METRIC, champion.recorded, examples.num_rows, note=note)
    found = performance.measure(task, champion.load(), examples, champion.recorded, seed=settings.seed)
    say(
        f"{task.NAME}: {task.METRIC} {found.value} on {found.rows} fresh examples, {champion.recorded} when chosen"
    )
    return found
