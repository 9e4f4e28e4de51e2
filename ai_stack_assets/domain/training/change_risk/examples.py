"""Examples of change risk: every method of every yearly state of the past, what was known of it then, and what became of it.

    <data>/lake/training/change_risk_examples/<week>/<version>/train, validation, test      split by time: the last year is test

Not from the dataset's splits: those are of today's code, and what is asked here is what happens to code next. A year's labels are
known when the next year's state is reached, so a model is never taught what lies after the state that it is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.onec.fact_cache import reader_version
from ai_stack_assets.domain.onec.history.commits import Log, read_log
from ai_stack_assets.domain.training.change_risk import past as past_columns
from ai_stack_assets.domain.training.change_risk.columns import LABEL, METHOD_ID, SNAPSHOT
from ai_stack_assets.domain.training.change_risk.snapshots import Snapshots
from ai_stack_assets.domain.training.features import definitions

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake

CODE_VERSION = "3"
NAME = "change_risk"
YEARS = 6
"""States at most. Older ones were written by other hands and habits, and each costs a reading of the configuration."""
LEAST_YEARS = 3
"""One state to learn from, one to choose on, one to be tested on."""
LEAST_SPAN = LEAST_YEARS + 1
"""Years between the first day and the last: each state has a year behind it and one after it."""


@dataclass(frozen=True)
class Past:
    """A configuration whose history is known."""

    name: str
    source: str
    """As in configurations.yaml: git URL or repository folder with an optional `@ref`."""
    history: Lake
    """`history/<name>`: its keys are days."""
    cache: Path
    """Mirrors and parsed facts, the folder that extraction uses."""
    zone: tzinfo = UTC
    path: str | None = None

    @cached_property
    def log(self) -> Log:
        return read_log(self.source, self.cache / "sources", self.zone)

    @property
    def is_long(self) -> bool:
        """Whether the days in the lake may be enough, which asks no repository."""
        days = self.history.configurations()
        return (
            bool(days)
            and date.fromisoformat(max(days))
            >= date.fromisoformat(min(days)) + LEAST_SPAN * past_columns.YEAR
        )

    @cached_property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.name, self.log, self.cache / "facts.sqlite", self.path)

    @cached_property
    def events(self) -> past_columns.Events:
        """Raises PermanentError when the lake lacks days on which something changed."""
        days = [day.isoformat() for day, _ in self.log.states]
        if missing := sorted(set(days) - set(self.history.configurations())):
            raise PermanentError(
                f"{self.name}: the history of {len(missing)} days is missing, the first of them {missing[0]}: "
                f"python -m ai_stack_assets history {self.name} --from {missing[0][:7]} --to {missing[-1][:7]}"
            )
        rows = (row for day in days for row in self.history.require(day).table("history_changes").to_pylist())
        return past_columns.events(date.fromisoformat(days[0]), rows)


def build(lake: Lake, week: str, pasts: Sequence[Past]) -> Made:
    """The sets in the lake, made unless nothing that they come from has changed.

    Args:
        lake: `training/change_risk_examples`. week: that they are made in; they are as the past is known now.

    Raises:
        PermanentError: no configuration has a past of enough years; days of history are missing.
    """
    tips = [[past.name, past.log.states[-1][1].id, str(past.zone), past.path] for past in pasts]
    code = f"{CODE_VERSION}.{definitions.CODE_VERSION}.{reader_version()}"

    def write(parts: stage.Parts) -> dict[str, Any]:
        sets, facts = _sets(pasts)
        for name in SPLITS:
            parts.write(name, sets[name])
        return facts

    return Made(*stage.build(lake, week, stage.key(code, tips=tips), write))


def queue(past: Past, day: date | None = None) -> pa.Table:
    """Methods of a day's state (of the last one when none is given) with what is known of them: what a model is asked about."""
    return _rows(past, day or past.log.states[-1][0])


def days_of(past: Past, years: int = YEARS) -> list[date]:
    """The states that examples are taken from, oldest first: those whose following year is over. None with too short a past."""
    first, last = past.log.states[0][0], past.log.states[-1][0]
    days = [last - (n + 1) * past_columns.YEAR for n in range(years)]
    # a state with no year behind it says nothing of what has changed before
    return [day for day in reversed(days) if day >= first + past_columns.YEAR]


def of_days(past: Past, days: Sequence[date]) -> pa.Table:
    """Examples of some states: features, history columns, `snapshot` and the label."""
    import pyarrow as pa

    made = []
    for day in days:
        rows = _rows(past, day)
        label = past_columns.after(past.events, rows[METHOD_ID].to_pylist(), day)
        made.append(rows.append_column(LABEL, pa.array(label)))
    return pa.concat_tables(made)


def _rows(past: Past, day: date) -> pa.Table:
    import pyarrow as pa

    rows = past.snapshots.at(day)
    columns = past_columns.before(past.events, rows[METHOD_ID].to_pylist(), day)
    for name in columns.schema.names:
        rows = rows.append_column(name, columns[name])
    return rows.append_column(SNAPSHOT, pa.array([day.isoformat()] * rows.num_rows))


def split_of(day: date, last: date) -> str:
    """The split of a state. Years are counted back from the newest state of all configurations: were each divided by its own,
    what is learned from one could be the future of what another is tested on."""
    train, validation, test = SPLITS
    years = (last - day) // past_columns.YEAR
    return test if years == 0 else validation if years == 1 else train


def _sets(pasts: Sequence[Past]) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    import pyarrow as pa

    found: dict[str, list[pa.Table]] = {name: [] for name in SPLITS}
    facts: dict[str, Any] = {"snapshots": {}, "without_past": []}
    known = {past.name: days_of(past) for past in pasts}
    last = max((days[-1] for days in known.values() if len(days) >= LEAST_YEARS), default=date.min)
    for past in pasts:
        days = known[past.name]
        if len(days) < LEAST_YEARS:
            facts["without_past"].append(past.name)
            continue
        facts["snapshots"][past.name] = [str(day) for day in days]
        for day in days:
            found[split_of(day, last)].append(of_days(past, [day]))
    if not facts["snapshots"]:
        raise PermanentError(
            f"{NAME}: no configuration has {LEAST_SPAN} years of history "
            f"({', '.join(facts['without_past']) or 'none is given'}): add one whose source is a git repository with its past"
        )
    tables = {name: pa.concat_tables(some) for name, some in found.items()}
    return tables, {**facts, "rows": {name: table.num_rows for name, table in tables.items()}}
