"""Carries out decisions and records them, also those that a killed process, a server or a full disk left half done.

A decision is a tag of its run. It is settled when `ml.model_registry` has its row. Each step here may have been done already.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.evaluation import gates
from ai_stack_assets.domain.training.evaluation.gates import Decision
from ai_stack_assets.domain.training.registry import aliases, runs
from ai_stack_assets.domain.training.registry.aliases import CHALLENGER, CHAMPION, Registered
from ai_stack_assets.domain.training.registry.decisions import Row, Rows, Unreachable
from ai_stack_assets.domain.training.registry.failures import translated

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

DECISION = "decision"
_MAX_SAID, _MAX_REASON = 300, 1_000
"""Characters: a tag of a run has room for 8,000."""


@dataclass(frozen=True)
class Desk:
    """What settling needs: the open client, the open table, and the model."""

    client: MlflowClient
    rows: Rows
    model: str
    experiment: str
    place: str
    verify: Callable[[Registered], None]
    now: Callable[[], datetime]

    @property
    def champion(self) -> Registered | None:
        return aliases.by_alias(self.client, self.model, CHAMPION)


def intend(desk: Desk, run_id: str, decision: Decision) -> None:
    """Write the decision on its run, unless it was settled before: repeating one must not undo a rollback."""
    settled = [row for row in desk.rows.all() if row.run_id == run_id and row.outcome == decision.outcome]
    if any(row.action != "refused" and not was_overtaken(row) for row in settled):
        return
    gates_said = tuple(replace(gate, said=gate.said[:_MAX_SAID]) for gate in decision.gates)
    short = replace(decision, reason=decision.reason[:_MAX_REASON], gates=gates_said)
    written = _intended(desk.client.get_run(run_id))
    if written and written[1] == short and not any(row.id == _row_id(run_id, written[0]) for row in settled):
        return
    tag = {"at": desk.now(), "decision": short}
    desk.client.set_tag(run_id, DECISION, msgspec.json.encode(tag).decode())


def settle(desk: Desk) -> None:
    """Finish what was decided and not finished, the oldest first; then record champions that nobody here has chosen."""
    if isinstance(desk.rows, Unreachable):
        return
    known = {row.id for row in desk.rows.all()}
    waiting = []
    for run in runs.runs_of(desk.client, desk.experiment, f"tags.{DECISION} LIKE '%'"):
        intended = _intended(run)
        if intended and _row_id(run.info.run_id, intended[0]) not in known:
            waiting.append((intended[0], run, intended[1]))
    for at, run, decision in sorted(waiting, key=lambda each: each[0]):
        desk.rows.add(_finished(desk, run, at, decision))
    _record_moves(desk)


def was_overtaken(row: Row) -> bool:
    """Whether a model that its gates let through was kept back: another one had become champion since they were asked."""
    return row.action == "kept" and row.outcome == gates.PRODUCTION


_REGISTERED = (gates.PRODUCTION, gates.STAGING)


def _finished(desk: Desk, run: Run, at: datetime, decision: Decision) -> Row:
    before = desk.champion
    row = Row(
        id=_row_id(run.info.run_id, at),
        model=desk.model,
        action="kept",
        decided_at=at,
        champion_before=_number(before),
        champion_after=_number(before),
        reason=decision.reason,
        outcome=decision.outcome,
        run_id=run.info.run_id,
        metric=decision.metric,
        value=decision.value,
        champion_value=decision.champion_value,
        difference_low=decision.comparison.low if decision.comparison else None,
        difference_high=decision.comparison.high if decision.comparison else None,
        gates=msgspec.to_builtins(decision.gates),
        metrics=_metrics(run),
        dataset_revision=run.data.tags.get(runs.DATASET, ""),
        git_commit=run.data.tags.get(runs.COMMIT, ""),
    )
    if decision.outcome not in _REGISTERED:
        return row
    try:
        with translated(desk.place):
            return _carried_out(desk, run, decision, before, row)
    except PermanentError as error:
        version = _number(aliases.by_run(desk.client, desk.model, run.info.run_id))
        after = _number(desk.champion)
        return replace(row, action="refused", version=version, champion_after=after, reason=str(error))


def _carried_out(desk: Desk, run: Run, decision: Decision, before: Registered | None, row: Row) -> Row:
    card = run.data.tags.get("mlflow.note.content", "")
    version = aliases.register(desk.client, desk.model, run, card)
    row = replace(row, version=int(version.version))
    if decision.outcome == gates.STAGING and before and before.version == version.version:
        return replace(row, reason=f"it is the champion, judged again: {row.reason}")
    desk.client.set_model_version_tag(desk.model, version.version, "outcome", decision.outcome)
    if decision.outcome == gates.STAGING:
        desk.client.set_registered_model_alias(desk.model, CHALLENGER, version.version)
        return replace(row, action="staged")
    if aliases.PROMOTED_AT in version.tags or (before and before.version == version.version):
        # it was done, and not recorded
        was = [int(number) for number in aliases.forerunners(version)[:1]]
        return replace(
            row, action="promoted", champion_before=was[0] if was else None, champion_after=row.version
        )
    if (before and before.version) != decision.against:
        changed = (
            f"the champion is version {before.version if before else 'none'} by now, not {decision.against}"
        )
        return replace(row, reason=f"{changed}: it is judged again by the next run")
    desk.verify(version)
    aliases.move(desk.client, version, before, "promoted", decision.reason, desk.now())
    return replace(row, action="promoted", champion_after=row.version)


def _record_moves(desk: Desk) -> None:
    """A champion that the last row does not name: what a person did and was cut short, or somebody moved the alias."""
    rows, champion = desk.rows.all(), desk.champion
    recorded = rows[-1].champion_after if rows else None
    if _number(champion) == recorded:
        return
    at, said = desk.now(), json.loads(champion.tags.get(aliases.MOVED, "{}")) if champion else {}
    action, reason, by = "moved_outside", f"the alias {CHAMPION} was moved in MLflow by somebody else", ""
    if said and said["from"] == (None if recorded is None else str(recorded)):
        action, reason, by = said["action"], said["reason"], said["by"]
    elif champion and recorded and aliases.PROMOTED_AT not in champion.tags:
        # never champion until somebody made it one: then this is what to roll back to
        aliases.succeed(desk.client, champion, aliases.by_version(desk.client, desk.model, str(recorded)))
    desk.rows.add(by_hand(desk.model, action, champion, recorded, reason, at, by))


def by_hand(
    model: str,
    action: Any,
    champion: Registered | None,
    before: int | None,
    reason: str,
    at: datetime,
    by: str = "",
) -> Row:
    """The row of what a person did."""
    version = _number(champion)
    return Row(
        id=f"{model} {version} {at.isoformat()}",
        model=model,
        action=action,
        decided_at=at,
        champion_before=before,
        champion_after=version,
        reason=reason,
        version=version,
        run_id=champion.run_id if champion else None,
        dataset_revision=champion.tags.get(runs.DATASET, "") if champion else "",
        git_commit=champion.tags.get(runs.COMMIT, "") if champion else "",
        decided_by=by,
    )


def _intended(run: Run) -> tuple[datetime, Decision] | None:
    tag = run.data.tags.get(DECISION)
    if not tag:
        return None
    said = msgspec.json.decode(tag)
    return datetime.fromisoformat(said["at"]), msgspec.convert(said["decision"], Decision)


def _metrics(run: Run) -> dict[str, float]:
    """The model's own; those of slices and baselines are in MLflow."""
    return {name: value for name, value in run.data.metrics.items() if "/" not in name and value == value}


def _row_id(run_id: str, at: datetime) -> str:
    return f"{run_id} {at.isoformat()}"


def _number(registered: Registered | None) -> int | None:
    return int(registered.version) if registered else None
