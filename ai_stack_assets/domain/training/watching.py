"""What the stage should do next, read off versions and manifests: a few small files. Nothing is measured or started here.

Whatever is asked for has a name (`Next.key`) that stays the same while nothing has changed: it is asked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ai_stack_assets.domain.dataset.pipeline import SPLITS
from ai_stack_assets.domain.training import tasks

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.settings import TrainingSettings

OpenLake = Callable[[str], "Lake"]
NOTHING, MEASURE, TRAIN = "nothing", "measure", "train"


@dataclass(frozen=True)
class Next:
    """`measure`: the drift of the week. `train`: these tasks. `nothing`: `reason` says why."""

    what: Literal["nothing", "measure", "train"]
    reason: str
    key: str = ""
    tasks: tuple[str, ...] = ()


def after_drift(open_lake: OpenLake, week: str) -> Next:
    """Measure when code has changed since the last report; train what the report chose, once for each dataset and choice."""
    features = features_now(open_lake)
    if not features:
        return Next(
            NOTHING,
            "no configuration has features yet: they are computed every hour when that is switched on",
        )
    report = open_lake("training/drift").current(week)
    if report is None or report.manifest["facts"].get("features") != features:
        why = (
            "has not been measured yet"
            if report is None
            else "was measured for other versions of the features"
        )
        seen = ",".join(f"{name}={version}" for name, version in sorted(features.items()))
        return Next(MEASURE, f"drift of week {week} {why}", f"drift:{week}:{seen}")
    return _chosen(open_lake, week, report)


def _chosen(open_lake: OpenLake, week: str, report: Version) -> Next:
    facts = report.manifest["facts"]
    said = f"drift of week {week} is {facts['level']}: {'; '.join(facts['reasons'])}"
    chosen = tuple(name for name in tasks.NAMES if facts.get("choices", {}).get(name, {}).get("is_trained"))
    splits = open_lake(f"dataset/{SPLITS}").current(week)
    if not chosen:
        return Next(NOTHING, said)
    if splits is None:
        return Next(NOTHING, f"{said}; the dataset of the week is not there to train on")
    return Next(TRAIN, said, f"train:{week}:{splits.id}:{','.join(chosen)}", chosen)


def below_threshold(open_lake: OpenLake, week: str, settings: TrainingSettings) -> list[Next]:
    """Train the models whose metric on fresh code, when it was measured last, is below what a challenger has to reach.

    Each by itself, and once for each champion and dataset: the same model on the same examples is no better the next night.
    Without any, one that says why.
    """
    report = open_lake("training/drift").current(week)
    if report is None:
        return [Next(NOTHING, f"the drift of week {week} has not been measured yet")]
    facts, splits = report.manifest["facts"], open_lake(f"dataset/{SPLITS}").current(week)
    lost, said = [], []
    for one in facts.get("performance", []):
        task, (line, is_below) = one["task"], _judged(one, settings)
        said.append(line)
        if is_below and splits and settings.task(task).is_on:
            champion = facts.get("champions", {}).get(task, "")
            lost.append(Next(TRAIN, line, f"performance:{task}:{champion}:{splits.id}", (task,)))
    if splits is None:
        said.append(f"the dataset of week {week} is not there to train on")
    return lost or [Next(NOTHING, "; ".join(said) or "no model in use has been measured on fresh code")]


def _judged(one: Mapping[str, Any], settings: TrainingSettings) -> tuple[str, bool]:
    limits = settings.limits(one["task"])
    threshold, what = limits.target * limits.staging, f"{one['task']}: {one['metric']}"
    if one["value"] is None:
        return f"{what} is not known ({one['note']})", False
    is_below = one["value"] < threshold
    return f"{what} {one['value']:.3f} is {'below' if is_below else 'not below'} {threshold:.3f}", is_below


def features_now(open_lake: OpenLake) -> dict[str, str]:
    """Versions of the features by configuration, of those that are still in the lake; without any, of the dataset."""
    lake = open_lake("training/features")
    if found := _versions(lake, open_lake("onec").configurations()):
        return found
    from ai_stack_assets.domain.training.features.sources import DATASET

    return _versions(lake, [DATASET])


def _versions(lake: Lake, names: list[str]) -> dict[str, str]:
    return {name: version.id for name in names if (version := lake.current(name))}
