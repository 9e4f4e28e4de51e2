"""The week's drift, measured against what the models in use were trained for, and which of them are trained again for it.

Measuring and keeping: `drift.stage`; what follows from it: `choice`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training import choice, tasks
from ai_stack_assets.domain.training.drift import stage, vectors

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.dataset.pipeline import Made
    from ai_stack_assets.domain.training.drift.report import DriftReport, Vectorise
    from ai_stack_assets.domain.training.registry.aliases import Registered
    from ai_stack_assets.domain.training.registry.registry import Registry
    from ai_stack_assets.domain.training.settings import TrainingSettings

TAG = "drift"
"""Of a champion: the version of the drift that it was trained for."""
_MEASURED = ("embeddings", "classifier", "regressor")
"""Tasks whose examples can be had from code as it is now. What becomes of methods is known a year later."""
Champions = Mapping[str, "Registered"]


def drift(
    lake: Lake,
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
        lake: `training/drift`. features: what is compared, as it is now.
        label: adds the columns of labels to rows of features.

    Raises:
        TransientError: MLflow cannot be reached; without it nobody knows what is in use.
    """
    champions = {name: found for name in tasks.NAMES if (found := registry.champion(name))}
    off = [name for name in tasks.NAMES if not settings.task(name).is_on]

    def more(found: DriftReport) -> dict[str, Any]:
        chosen = choice.choose(found.level, found.reason, champions, off)
        versions = {name: champion.version for name, champion in champions.items()}
        return {"choices": {name: asdict(each) for name, each in chosen.items()}, "champions": versions}

    return stage.build(
        lake,
        week,
        features,
        _reference(lake, champions),
        settings.drift,
        champions=[_in_service(n, champions[n], registry, label) for n in _MEASURED if n in champions],
        vectorise=_vectorise(champions, registry),
        more=more,
        more_depends_on=[sorted(champions), off],
        say=say,
    )


def _reference(lake: Lake, champions: Champions) -> Version | None:
    """What the oldest champion was trained for, if the lake still has it."""
    tagged = (champion.tags for champion in champions.values())
    for week, version_id in sorted((tags["week"], tags.get(TAG, "")) for tags in tagged if "week" in tags):
        if kept := lake.versions(week):
            return next((version for version in kept if version.id == version_id), kept[0])
    return None


def _in_service(
    name: str, champion: Registered, registry: Registry, label: Callable[[pa.Table], pa.Table]
) -> stage.InService:
    task = tasks.load(name)
    return stage.InService(
        task=task,
        version=champion.version,
        recorded=float(champion.metrics.get(task.METRIC, 0)),
        load=lambda: registry.load(task, "champion"),
        examples=lambda fresh: task.prepare(label(fresh)),
    )


def _vectorise(champions: Champions, registry: Registry) -> tuple[str, Vectorise]:
    """By the embeddings in use; loaded only when something is compared."""
    if "embeddings" not in champions:
        return "LSA", vectors.lsa
    name = f"champion {champions['embeddings'].version}"

    def vectorise(reference: pa.Table, current: pa.Table) -> Any:
        return vectors.champion(registry.load(tasks.load("embeddings"), "champion"), name)(reference, current)

    return name, vectorise
