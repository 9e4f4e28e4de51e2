"""What a run of the training stage did to the models, read from its events: for messages, and for what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ai_stack_assets.domain.training.judging import REFUSED
from ai_stack_assets.orchestration import keys


def message(instance: dg.DagsterInstance, run_id: str, week: str) -> str | None:
    """What a run did to the models, for people who are told of it: a line per model, and why the data asked for it.

    None when no model was judged in it.
    """
    found = _made_in(instance, run_id)
    if not any(key in found for key in keys.EVALUATIONS.values()):
        return None
    lines = [f"Models of week {week} (run {run_id})"]
    if said := found.get(keys.DRIFT):
        lines.append(f"drift {said['level']}: {'; '.join(said['reasons'])}")
    lines += (_became(task, found) for task in keys.EVALUATIONS)
    return "\n".join(lines)


def _became(task: str, found: Mapping[dg.AssetKey, Mapping[str, Any]]) -> str:
    evaluated, registered = found.get(keys.EVALUATIONS[task]), found.get(keys.REGISTERED[task])
    if evaluated is None:
        return f"- {task}: not trained"
    outcome = evaluated["outcome"]
    action = outcome if outcome in REFUSED else f"{outcome}, but not registered: see the run"
    metrics = ", ".join(
        f"{name.removeprefix('metric/')} {value:.3f}"
        for name, value in evaluated.items()
        if name.startswith("metric/")
    )
    why = f" ({evaluated['reason']}); {evaluated['in_use']}" if outcome in REFUSED else ""
    return f"- {task}: {registered['action'] if registered else action}, {metrics}{why}"


def to_retrain(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """Tasks whose gates in this run asked for other parameters → version of the model that was refused."""
    made = _made_in(instance, run_id)
    found = {task: made[key] for task, key in keys.EVALUATIONS.items() if key in made}
    return {task: said["model"] for task, said in found.items() if said["outcome"] == "retrain"}


def _made_in(instance: dg.DagsterInstance, run_id: str) -> dict[dg.AssetKey, dict[str, Any]]:
    """Plain metadata of what a run materialised, by asset."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = (
        entry.dagster_event.step_materialization_data.materialization
        for entry in entries
        if entry.dagster_event
    )
    return {each.asset_key: {name: value.value for name, value in each.metadata.items()} for each in made}
