"""The tasks of the training stage by name, in the order in which people see them. Their modules are loaded when asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.contract import Task

NAMES = ("embeddings", "classifier", "regressor", "change_risk")
BY_TIME = "change_risk"
"""The task whose examples are states of the past, split by time."""
MODULES = {name: f"ai_stack_assets.domain.training.{name}.task" for name in NAMES}


def load(name: str) -> Task:
    """Raises PermanentError when there is no task of that name."""
    if name not in MODULES:
        raise PermanentError(f"there is no task {name!r}: {', '.join(MODULES)}")
    return cast("Task", importlib.import_module(MODULES[name]))
