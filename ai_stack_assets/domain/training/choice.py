"""Which models are trained, and why: what follows from the drift of the data. Nothing is measured or trained here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_stack_assets.domain.training import tasks

HIGH, MEDIUM, NONE = "high", "medium", "none"
RETRAINED: Mapping[str, tuple[str, ...]] = {
    HIGH: tasks.NAMES,
    # vectors compare code with code of the same time: they age last, and a new space costs all vectors
    MEDIUM: ("classifier", "regressor", "change_risk"),
    NONE: (),
}


@dataclass(frozen=True)
class Choice:
    """Whether a model is trained, and the reason in words."""

    is_trained: bool
    reason: str


def choose(
    found: Mapping[str, tuple[str, str]], champions: Iterable[str], off: Iterable[str] = ()
) -> dict[str, Choice]:
    """By task.

    Args:
        found: level of the drift since each champion was trained, and why, in words. A champion of which nobody knows what it
            was trained for is not in it.
        champions: tasks that have one. A task without is trained whatever the drift.
        off: tasks that training.yaml switches off.
    """
    champions, off = set(champions), set(off)
    return {name: _choice(name, found.get(name), name in champions, name in off) for name in tasks.NAMES}


def _choice(name: str, found: tuple[str, str] | None, has_champion: bool, is_off: bool) -> Choice:
    if is_off:
        return Choice(False, "switched off in training.yaml")
    if not has_champion:
        return Choice(True, "there is no champion yet")
    if found is None:
        return Choice(True, "nobody knows any more what the champion was trained for")
    level, why = found
    return Choice(name in RETRAINED[level], f"drift is {level}{': ' * bool(why)}{why}")
