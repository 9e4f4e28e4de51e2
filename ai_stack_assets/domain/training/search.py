"""Better parameters for a task within a time budget: tree-structured Parzen estimators (optuna). The task fits and judges.

The validation set alone is looked at; the test set stays unseen until the gates.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import optuna

    from ai_stack_assets.domain.training.contract import Sets, Task


NO_NUMBER = "the metric is not a number"


@dataclass(frozen=True)
class Trial:
    """One try. `value` is None when the fit failed: `note` says why."""

    number: int
    parameters: Mapping[str, Any]
    value: float | None
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Search:
    """The best parameters of all trials: those of the space, and `fixed`."""

    parameters: Mapping[str, Any]
    value: float
    metric: str
    trials: tuple[Trial, ...]
    """All, in order, also those of an earlier search that the storage kept. The first one has the task's defaults."""

    def facts(self) -> dict[str, Any]:
        return {
            "parameters": dict(self.parameters),
            "metric": self.metric,
            "value": self.value,
            "defaults": self.trials[0].value,
            "trials": [
                {"number": t.number, "value": t.value, "seconds": t.seconds, **t.parameters}
                for t in self.trials
            ],
        }


def search(
    task: Task,
    sets: Sets,
    fixed: Mapping[str, Any] | None = None,
    *,
    minutes: float,
    seed: int,
    trials: int | None = None,
    storage: str = "",
    progress: Callable[[str], None] = print,
) -> Search:
    """Try parameters until the time is over, the task's defaults first: the best is never worse than they are.

    The same arguments make the same trials in the same order; how many, when `trials` does not limit them, the clock says.

    Args:
        fixed: parameters that are not searched.
        minutes: a trial that would probably end later is not begun; one that has begun is never cut off.
        trials: at most so many, earlier ones in the storage included.
        storage: `sqlite:///file`: a search that was interrupted goes on.

    Raises:
        PermanentError: no trial gave a number.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study, clock = _study(task, seed, storage), _Clock(minutes * 60, trials)
    # again when the first one was killed
    if not any(trial.state.is_finished() for trial in study.trials):
        study.enqueue_trial(dict(task.PARAMETERS))

    def objective(trial: optuna.Trial) -> float:
        parameters = {**task.PARAMETERS, **task.search_space(trial), **(fixed or {})}
        trial.set_user_attr("parameters", parameters)
        value, said = _value(task, sets, parameters, seed)
        trial.set_user_attr("note", said)
        progress(f"trial {trial.number}: {said} with {parameters}")
        return value

    def stop(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        if clock.is_over(study.trials):
            study.stop()

    if not clock.is_over(study.trials):
        study.optimize(objective, callbacks=[stop])
    return _found(task, study)


def _value(task: Task, sets: Sets, parameters: Mapping[str, Any], seed: int) -> tuple[float, str]:
    """The metric, and it or what went wrong in words. Not a number, for optuna, is a failed trial to keep away from."""
    try:
        model = task.fit(sets, parameters, seed=seed, progress=lambda _: None)
        value = float(task.evaluate(model, sets.validation, seed=seed).metrics[task.METRIC])
    except (PermanentError, ArithmeticError, ValueError) as error:
        return math.nan, str(error)
    return value, f"{task.METRIC} {value:.4f}" if math.isfinite(value) else NO_NUMBER


class _Clock:
    def __init__(self, seconds: float, trials: int | None) -> None:
        self._end, self._trials = time.monotonic() + seconds, trials

    def is_over(self, made: list[optuna.trial.FrozenTrial]) -> bool:
        """Whether another trial would exceed the number, or probably the time."""
        durations = [trial.duration.total_seconds() for trial in made if trial.duration]
        if self._trials is not None and len(durations) >= self._trials:
            return True
        return bool(durations) and time.monotonic() + statistics.median(durations) > self._end


def _study(task: Task, seed: int, storage: str) -> optuna.Study:
    """A search of other code is another search: its values do not compare."""
    import optuna

    return optuna.create_study(
        storage=storage or None,
        study_name=f"{task.NAME} {task.CODE_VERSION} seed {seed}",
        sampler=optuna.samplers.TPESampler(seed=seed),
        direction="maximize",
        load_if_exists=True,
    )


def _found(task: Task, study: optuna.Study) -> Search:
    trials = tuple(_trial(trial) for trial in study.trials if trial.state.is_finished())
    best = max((t for t in trials if t.value is not None), key=lambda t: t.value or 0.0, default=None)
    if best is None or best.value is None:
        why = next((t.note for t in trials if t.note), "there was none")
        raise PermanentError(f"{task.NAME}: none of {len(trials)} trials gave a number ({why})")
    return Search(best.parameters, best.value, task.METRIC, trials)


def _trial(trial: optuna.trial.FrozenTrial) -> Trial:
    value = trial.value if trial.value is not None and math.isfinite(trial.value) else None
    seconds = round(trial.duration.total_seconds(), 3) if trial.duration else 0.0
    note = "" if value is not None else trial.user_attrs.get("note", NO_NUMBER)
    return Trial(trial.number, trial.user_attrs.get("parameters", trial.params), value, seconds, note)
