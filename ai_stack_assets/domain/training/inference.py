"""What the models in use say of every method of a configuration: tags, scores and vectors, asked for new methods only.

    <data>/lake/training/inference/<configuration>/<version>/<task>/<part>.parquet     `content_hash` and what `Model.predict` gives

A row that the same version of the same model has answered before is taken over. A task without a champion has no table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.store import TABLE

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Model

CODE_VERSION = "1"
ROWS_AT_ONCE = 8192
_KNOWN_BY = (definitions.KEY, definitions.INPUT_HASH)
"""A method is the same while its code and all that its features are computed from are."""


@dataclass(frozen=True)
class InUse:
    """A champion: its version, and how it is loaded, which is done only when there is something to ask."""

    version: str
    load: Callable[[], Model]


def infer(
    lake: Lake,
    features: Version,
    champions: Mapping[str, InUse],
    *,
    say: Callable[[str], None] = print,
) -> Made:
    """The answers for every row of a configuration's features, by task. Made unless features and champions are as before."""
    versions = {name: champion.version for name, champion in champions.items()}
    version_id = stage.key(CODE_VERSION, features, champions=sorted(versions.items()))
    before = lake.intact(features.configuration)

    def write(parts: stage.Parts) -> dict[str, Any]:
        clock = PhaseClock()
        rows = features.table(TABLE)
        clock.lap("read")
        asked = {}
        for name, champion in champions.items():
            known = _known(before, name, champion.version)
            asked[name] = _answer(parts, name, rows, known, champion, say)
            clock.lap(name)
        return {
            "champions": versions,
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
    """Writes the table of one task. Returns how many methods the model was asked about."""
    import pyarrow.compute as pc

    new = rows
    if known is not None:
        here = pc.is_in(known[definitions.INPUT_HASH], rows[definitions.INPUT_HASH].combine_chunks())
        known = known.filter(here)
        parts.write(name, known)
        is_known = pc.is_in(rows[definitions.INPUT_HASH], known[definitions.INPUT_HASH].combine_chunks())
        new = rows.filter(pc.invert(is_known))
    if not new.num_rows:
        return 0
    say(f"{name}: version {champion.version} is asked about {new.num_rows:,} methods")
    model = champion.load()
    for start in range(0, new.num_rows, ROWS_AT_ONCE):
        asked = new.slice(start, ROWS_AT_ONCE)
        answers = model.predict(asked)
        for place, column in enumerate(_KNOWN_BY):
            answers = answers.add_column(place, column, asked[column])
        parts.write(name, answers)
    return new.num_rows


def _known(before: Version | None, name: str, version: str) -> pa.Table | None:
    """What the same version of the same model answered before."""
    if before is None or before.manifest["facts"]["champions"].get(name) != version or not before.rows(name):
        return None
    return before.table(name)
