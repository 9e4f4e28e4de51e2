"""What a search for better parameters found, kept in the lake for the fits of this week and later ones. Searching: `search`.

<data>/lake/training/<task>_search/<week>/<version>/version.json        parameters and all trials, as `facts`
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training import fitting, prepared

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Task
    from ai_stack_assets.domain.training.settings import TrainingSettings


def search(
    lake: Lake,
    week: str,
    task: Task,
    examples: Version,
    settings: TrainingSettings,
    *,
    folder: Path,
    threads: int,
    say: Callable[[str], None] = print,
) -> None:
    """Searches within the budget of training.yaml, unless the same was searched before. An interrupted search goes on.

    Args:
        lake: of this task's searches. folder: on this machine, for trials until the search is over.
    """
    budget, given = settings.search, settings.task(task.NAME).parameters
    version_id = _key(task, examples, settings)
    trials = folder / f"search-{version_id}"

    def write(_: stage.Parts) -> dict[str, Any]:
        from ai_stack_assets.domain.training.search import search as look

        trials.mkdir(parents=True, exist_ok=True)
        with fitting.limited(threads):
            found = look(
                task,
                prepared.read(examples),
                given,
                minutes=budget.minutes,
                trials=budget.trials,
                seed=settings.seed,
                storage=f"sqlite:///{trials / 'trials.db'}",
                progress=say,
            )
        return {**found.facts(), "code_version": task.CODE_VERSION}

    stage.build(lake, week, version_id, write)
    shutil.rmtree(trials, ignore_errors=True)


def found(lake: Lake, task: Task, week: str) -> tuple[dict[str, Any], str]:
    """Parameters that the newest search up to the week found, and where they come from; none when the task's code is another."""
    for each in reversed(lake.configurations()):
        version = lake.current(each) if each <= week else None
        if version and version.manifest["facts"]["code_version"] == task.CODE_VERSION:
            return version.manifest["facts"]["parameters"], f"search of week {each}"
    return {}, "defaults"


def is_done(lake: Lake, week: str, task: Task, examples: Version, settings: TrainingSettings) -> bool:
    """Whether these very examples were searched on, with the settings as they are: another search would find the same."""
    current = lake.current(week)
    return bool(current and current.id == _key(task, examples, settings))


def _key(task: Task, examples: Version, settings: TrainingSettings) -> str:
    given, budget = sorted(settings.task(task.NAME).parameters.items()), asdict(settings.search)
    return stage.key(task.CODE_VERSION, examples, seed=settings.seed, given=given, budget=budget)
