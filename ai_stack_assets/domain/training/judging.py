"""How good a fit is, and what becomes of it: measured beside its champion and its baselines on the same test set, then decided.

    <data>/lake/training/<task>_evaluation/<week>/<version>/version.json         all of it, as `facts`

Each fit is judged once under the same limits: a champion that somebody rolled back is not brought back by running again. Only one
that was kept back because another had become champion meanwhile is judged anew, against that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training import fitting
from ai_stack_assets.domain.training.evaluation import cost, gates
from ai_stack_assets.domain.training.evaluation.model_card import model_card

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Evaluation, Model, Sets, Task
    from ai_stack_assets.domain.training.evaluation.gates import Decision, Limits
    from ai_stack_assets.domain.training.registry.registry import Registry

CODE_VERSION = "1"
EXAMPLE_ROWS = 5
REFUSED = (gates.RETRAIN, gates.INVESTIGATE)
"""Outcomes that are not registered."""


def judge(
    lake: Lake,
    week: str,
    task: Task,
    model: Version,
    read: Callable[[], Sets],
    registry: Registry,
    limits: Limits,
    *,
    seed: int,
    is_searched: bool = False,
    say: Callable[[str], None] = print,
) -> Made:
    """The evaluation of a fitted model, unless it is there already.

    Args:
        lake: of this task's evaluations.
        model: version that `fitting.fit` made. read: what it was fitted on.
        is_searched: its parameters are the best that a search on these very examples found: there are no better ones to try.

    Raises:
        PermanentError: the model's files are damaged.
        TransientError, PermanentError: MLflow or PostgreSQL cannot be reached, or refuses. What is in use stays in use.
    """
    again = {"searched": is_searched, "overtaken": registry.overtaken(task, model.id)}
    # what is false or 0 is left out: evaluations that were made before anybody asked keep their names
    asked = {name: value for name, value in again.items() if value}
    version_id = stage.key(
        f"{CODE_VERSION}.{task.CODE_VERSION}", model, seed=seed, limits=asdict(limits), **asked
    )

    def write(_: stage.Parts) -> dict[str, Any]:
        clock, fitted, sets = PhaseClock(), fitting.load(task, model), read()
        clock.lap("read")
        run_id = log(task, model, sets, registry)
        clock.lap("log")
        found = _measure(task, fitted, fitting.folder_of(model), sets, registry, seed, clock)
        say(f"{task.METRIC} {found.own.metrics[task.METRIC]:.4f} on {found.own.rows:,} examples")
        decision = _decide(task, found, limits, is_searched)
        clock.lap("decide")
        card = _card(task, model, sets, found, decision)
        registry.log_evaluation(run_id, found.own, found.baselines, decision, card, found.cost)
        clock.lap("log")
        return {
            **_as_facts(task, found, decision),
            "model": model.id,
            "run_id": run_id,
            "card": card,
            "seconds": clock.seconds,
        }

    return Made(*stage.build(lake, week, version_id, write))


@dataclass(frozen=True)
class _Measured:
    """A model, what it has to beat, and what it costs. `against`: version of the champion."""

    own: Evaluation
    baselines: Mapping[str, Evaluation]
    champion: Evaluation | None
    against: str | None
    cost: cost.Cost


def _measure(
    task: Task, fitted: Model, folder: Path, sets: Sets, registry: Registry, seed: int, clock: PhaseClock
) -> _Measured:
    own = task.evaluate(fitted, sets.test, seed=seed)
    clock.lap("evaluate")
    baselines = task.baselines(sets, sets.test, seed=seed)
    clock.lap("baselines")
    in_use = registry.champion(task)
    champion = task.evaluate(registry.load(task, "champion"), sets.test, seed=seed) if in_use else None
    clock.lap("champion")
    price = cost.measure(fitted, sets.test, folder)
    clock.lap("cost")
    return _Measured(own, baselines, champion, in_use.version if in_use else None, price)


def _decide(task: Task, found: _Measured, limits: Limits, is_searched: bool) -> Decision:
    return gates.decide(
        found.own,
        found.champion,
        limits,
        metric=task.METRIC,
        baselines=found.baselines,
        cost=found.cost,
        is_searched=is_searched,
        against=found.against,
        may_lack=getattr(task, "MAY_LACK", ()),
    )


def _card(task: Task, model: Version, sets: Sets, found: _Measured, decision: Decision) -> str:
    return model_card(
        task,
        facts=_of_data(model, sets),
        parameters=model.manifest["facts"]["parameters"],
        evaluation=found.own,
        baselines=found.baselines,
        decision=decision,
        cost=found.cost,
    )


def _as_facts(task: Task, found: _Measured, decision: Decision) -> dict[str, Any]:
    champion = {"version": found.against, "metrics": dict(found.champion.metrics)} if found.champion else None
    return {
        "task": task.NAME,
        "metric": task.METRIC,
        "rows": found.own.rows,
        "metrics": dict(found.own.metrics),
        "baselines": {name: dict(each.metrics) for name, each in found.baselines.items()},
        "champion": champion,
        "slices": {name: dict(values) for name, values in found.own.slices.items()},
        "pictures": dict(found.own.pictures),
        "decision": gates.as_facts(decision),
        "cost": asdict(found.cost),
    }


def log(task: Task, model: Version, sets: Sets, registry: Registry) -> str:
    """The id of the MLflow run of this fit, which has one whenever and how often it is asked for."""
    from ai_stack_assets.domain.training.registry.registry import Fit

    facts = model.manifest["facts"]
    fitted = Fit(
        task=task,
        folder=fitting.folder_of(model),
        example=sets.test.slice(0, EXAMPLE_ROWS),
        parameters=facts["parameters"],
        facts=_of_data(model, sets),
        seed=facts["seed"],
        seconds=facts["seconds"]["fit"],
        key=model.id,
    )
    return registry.log(fitted)


def decision_of(facts: Mapping[str, Any]) -> Decision:
    """From the facts of an evaluation."""
    import msgspec

    return msgspec.convert(facts["decision"], gates.Decision)


def _of_data(model: Version, sets: Sets) -> dict[str, Any]:
    """What MLflow and the model card say of the data."""
    facts = model.manifest["facts"]
    return {
        **sets.facts,
        **({"dataset_revision": sets.facts["dataset"]} if "dataset" in sets.facts else {}),
        "drift": facts["drift"],
        "week": model.configuration,
        "model": model.id,
        "examples": facts["examples"],
        "rows": facts["rows"],
        "parameters_from": facts["parameters_from"],
        "peak_mb": facts["peak_mb"],
        "threads": facts["threads"],
        **{name: facts[name] for name in ("device", "gpu") if name in facts},
    }
