"""What the models in use say of every method of a configuration: tags, scores and vectors, asked for new methods only.

    <data>/lake/training/inference/<configuration>/<version>/<task>/<part>.parquet     keys, and what `Model.predict` gives

What the same version of the same model has answered before is taken over, object by object. A task without a champion has no
table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.store import TABLE

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.change_risk.examples import Past
    from ai_stack_assets.domain.training.contract import Model
    from ai_stack_assets.domain.training.registry.registry import Registry

CODE_VERSION = "3"
ROWS_AT_ONCE = 8192
UNIT = "owner"
"""Column: the object that a method belongs to. Asked about as a whole when anything in it is new."""
_KEPT = (definitions.KEY, definitions.INPUT_HASH, UNIT, "id", "object", "module_type", "method_name")
"""Columns beside the answers: which method it is. It is the same while all that its features are computed from is."""


@dataclass(frozen=True)
class InUse:
    """A champion: its version, and how it is loaded, which is done only when there is something to ask.

    `rows`: what it is asked about instead of the features, while `state` says that these are the same.
    """

    version: str
    load: Callable[[], Model]
    rows: Callable[[], pa.Table | None] | None = None
    state: str = ""


def champions(registry: Registry) -> dict[str, InUse]:
    """By task, of those that have one."""
    found = {}
    for name in tasks.NAMES:
        task = tasks.load(name)
        if champion := registry.champion(task):
            found[name] = InUse(champion.version, partial(registry.load, task, "champion"))
    return found


def with_past(
    champions: Mapping[str, InUse], past: Past | None, say: Callable[[str], None]
) -> dict[str, InUse]:
    """Change risk is asked about the newest state in the lake's history, with what is known of its past; without it, when days
    are missing."""
    from ai_stack_assets.domain.training.change_risk.examples import queue

    if past is None:
        return dict(champions)

    def rows() -> pa.Table | None:
        try:
            return queue(past)
        except PermanentError as error:
            say(f"asked without the past: {error}")
            return None

    own = replace(champions[tasks.BY_TIME], rows=rows, state=past.history.configurations()[-1])
    return {**champions, tasks.BY_TIME: own}


def infer(
    lake: Lake,
    features: Version,
    champions: Mapping[str, InUse],
    *,
    say: Callable[[str], None] = print,
) -> Made:
    """The answers for every row of a configuration's features, by task. Made unless features and champions are as before."""
    versions = {name: champion.version for name, champion in champions.items()}
    states = {name: champion.state for name, champion in champions.items()}
    version_id = stage.key(
        CODE_VERSION, features, champions=sorted(versions.items()), states=sorted(states.items())
    )
    before = lake.intact(features.configuration)

    def write(parts: stage.Parts) -> dict[str, Any]:
        clock = PhaseClock()
        rows = _with_units(features.table(TABLE))
        clock.lap("read")
        asked = {}
        for name, champion in champions.items():
            known = _known(before, name, champion)
            if champion.rows and known is not None:
                parts.write(name, known)
                asked[name] = 0
            else:
                own = champion.rows() if champion.rows else None
                asked[name] = _answer(
                    parts, name, rows if own is None else _with_units(own), known, champion, say
                )
            clock.lap(name)
        return {
            "champions": versions,
            "states": states,
            "rows": rows.num_rows,
            "asked": asked,
            "seconds": clock.seconds,
            "features": features.id,
        }

    return Made(*stage.build(lake, features.configuration, version_id, write))


def _answer(
    parts: stage.Parts,
    name: str,
    rows: pa.Table,
    known: pa.Table | None,
    champion: InUse,
    say: Callable[[str], None],
) -> int:
    """Writes the table of one task, `rows` in the order of their objects. Returns how many methods the model was asked about."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if known is not None:
        before, now = _states(known), _states(rows)
        same = pa.array([unit for unit, state in now.items() if before.get(unit) == state], pa.string())
        parts.write(name, known.filter(pc.is_in(known[UNIT], same)))
        rows = rows.filter(pc.invert(pc.is_in(rows[UNIT], same)))
    if not rows.num_rows:
        return 0
    say(f"{name}: version {champion.version} is asked about {rows.num_rows:,} methods")
    model = champion.load()
    for asked in _batches(rows):
        answers = model.predict(asked)
        for place, column in enumerate(_KEPT):
            answers = answers.add_column(place, column, asked[column])
        parts.write(name, answers)
    return rows.num_rows


def _with_units(rows: pa.Table) -> pa.Table:
    """In their order, with the object that each method belongs to, which its neighbours' answers may depend on."""
    import pyarrow as pa

    columns = (rows[name].to_pylist() for name in ("repository", "configuration", "object", "module"))
    units = [
        f"{repository}/{configuration}/{'.'.join(owner.split('.')[:2]) or module}"
        for repository, configuration, owner, module in zip(*columns, strict=True)
    ]
    return rows.append_column(UNIT, pa.array(units, pa.string())).sort_by(
        [(UNIT, "ascending"), (definitions.KEY, "ascending")]
    )


def _states(rows: pa.Table) -> dict[str, frozenset[str]]:
    """By object what its methods are."""
    found: dict[str, set[str]] = {}
    for unit, state in zip(rows[UNIT].to_pylist(), rows[definitions.INPUT_HASH].to_pylist(), strict=True):
        found.setdefault(unit, set()).add(state)
    return {unit: frozenset(states) for unit, states in found.items()}


def _batches(rows: pa.Table) -> Iterator[pa.Table]:
    """Pieces of about `ROWS_AT_ONCE` rows that cut no object."""
    units, start = rows[UNIT].to_pylist(), 0
    for end in range(1, len(units) + 1):
        is_cut = end < len(units) and units[end] == units[end - 1]
        if not is_cut and (end - start >= ROWS_AT_ONCE or end == len(units)):
            yield rows.slice(start, end - start)
            start = end


def _known(before: Version | None, name: str, champion: InUse) -> pa.Table | None:
    """What the same version of the same model answered before, in the same state of the world."""
    if before is None or not before.rows(name):
        return None
    facts = before.manifest["facts"]
    is_same = (facts["champions"].get(name), facts["states"].get(name)) == (champion.version, champion.state)
    return before.table(name) if is_same else None
