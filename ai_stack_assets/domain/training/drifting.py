"""The week's drift, measured against what each of the models in use was trained for, and which of them are trained again for it.

Measuring and keeping: `drift.stage`; what follows from it: `choice`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training import choice, known, tasks
from ai_stack_assets.domain.training.drift import stage, vectors

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.dataset.pipeline import Made
    from ai_stack_assets.domain.training.drift.report import Vectorise
    from ai_stack_assets.domain.training.registry.aliases import Registered
    from ai_stack_assets.domain.training.registry.registry import Registry
    from ai_stack_assets.domain.training.settings import TrainingSettings

_MEASURED = ("embeddings", "classifier", "regressor")
"""Tasks whose examples can be had from code as it is now. What becomes of methods is known a year later."""
Champions = Mapping[str, "Registered"]


@dataclass(frozen=True)
class Lakes:
    """Where versions lie by week, and what champions know (see `known`) by task. `examples`: of a task."""

    drift: Lake
    known: Lake
    examples: Callable[[str], Lake]


def drift(
    lakes: Lakes,
    week: str,
    features: Sequence[Version],
    label: Callable[[pa.Table], pa.Table],
    registry: Registry,
    settings: TrainingSettings,
    *,
    say: Callable[[str], None] = print,
) -> Made:
    """The week's drift and its choices, unless neither code nor champions nor settings have changed.

    Args:
        features: what is compared, as it is now. label: adds the columns of labels to rows of features.

    Raises:
        TransientError: MLflow cannot be reached; without it nobody knows what is in use.
    """
    champions = {name: found for name in tasks.NAMES if (found := registry.champion(name))}
    off = [name for name in tasks.NAMES if not settings.task(name).is_on]

    def more(found: stage.Found) -> dict[str, Any]:
        levels = {
            name: (each.level, f"since week {each.reference}: {each.reason}") for name, each in found.items()
        }
        chosen = choice.choose(levels, champions, off)
        versions = {name: champion.version for name, champion in champions.items()}
        return {"choices": {name: asdict(each) for name, each in chosen.items()}, "champions": versions}

    return stage.build(
        lakes.drift,
        week,
        features,
        [_in_service(name, each, lakes, registry, label) for name, each in champions.items()],
        settings.drift,
        vectorise=_vectorise(champions, registry),
        more=more,
        more_depends_on=[sorted(champions), off],
        say=say,
    )


def _in_service(
    name: str,
    champion: Registered,
    lakes: Lakes,
    registry: Registry,
    label: Callable[[pa.Table], pa.Table],
) -> stage.InService:
    task = tasks.load(name)
    measured = stage.Measured(
        recorded=float(champion.metrics.get(task.METRIC, 0)),
        load=lambda: registry.load(task, "champion"),
        examples=lambda fresh: task.prepare(label(fresh)),
    )
    return stage.InService(
        task,
        champion.version,
        known.of(lakes.known, name, champion, lakes.drift, lakes.examples(name)),
        measured if name in _MEASURED else None,
    )


def _vectorise(champions: Champions, registry: Registry) -> tuple[str, Vectorise]:
    """By the embeddings in use; loaded only when something is compared."""
    if "embeddings" not in champions:
        return "LSA", vectors.lsa
    name = f"champion {champions['embeddings'].version}"

    def vectorise(reference: pa.Table, current: pa.Table) -> Any:
        return vectors.champion(registry.load(tasks.load("embeddings"), "champion"), name)(reference, current)

    return name, vectorise
