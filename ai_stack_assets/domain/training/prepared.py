"""Examples of a task: the dataset's splits, the features of their methods, the labels. Splits are joined here, never drawn.

    <data>/lake/training/prepared/<task>/<version>/train, validation, test

A method is in the split that the dataset stage gave it, for ever. `train` is without the families of the evaluation splits: those
rows are withheld here, counted, and in no other split instead. Leak checks (`leaks`) prove both anew from what was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training import labels, validation_rules
from ai_stack_assets.domain.training.contract import Sets, Task
from ai_stack_assets.domain.training.features import definitions

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version

CODE_VERSION = "1"
TRAIN, EVALUATION = SPLITS[0], SPLITS[1:]


def build(
    lake: Lake,
    task: Task,
    *,
    features: Version,
    splits: Version,
    configurations: Sequence[Version] = (),
    extra: pa.Table | None = None,
) -> Made:
    """The task's sets in the lake, made unless they are there: nothing is done while features, splits and labels are the same.

    Args:
        lake: `training/prepared`.
        features: version of `features.store` that has the dataset's rows.
        splits: version of the dataset stage.
        configurations: of the lake `onec`, which labels are read off.

    Raises:
        PermanentError: see `sets`.
    """
    version_id = stage.key(
        f"{CODE_VERSION}.{labels.CODE_VERSION}.{task.CODE_VERSION}",
        features,
        splits,
        *configurations,
        task=task.NAME,
    )

    def write(parts: stage.Parts) -> dict[str, Any]:
        made = sets(task, features.table("features"), splits, labels.subsystems(configurations))
        for name in SPLITS:
            parts.write(name, getattr(made, name))
        return {
            **made.facts,
            "features": features.id,
            "labels": {v.configuration: v.id for v in configurations},
        }

    return Made(*stage.build(lake, task.NAME, version_id, write))


def read(version: Version) -> Sets:
    """What `build` wrote. Raises PermanentError when an evaluation split or the train set is empty."""
    found = Sets(
        **{name: version.table(name) for name in SPLITS},
        facts={**version.manifest["facts"], "version": version.id},
    )
    for name in SPLITS:
        _refuse_empty(version.configuration, name, getattr(found, name), found.facts)
    return found


def sets(task: Task, features: pa.Table, splits: Version, subsystems: pa.Table) -> Sets:
    """Examples of a task.

    Args:
        features: rows of the features table; more than those of the dataset may be there.
        splits: version with a table of records per split, as the dataset stage wrote it.
        subsystems: as `labels.subsystems` gives them; no rows when there are none.

    Raises:
        PermanentError: methods of the dataset have no features, features are not finite, a split is empty, or what
            `task.prepare` finds missing (labels, a second class). It says what to do.
    """
    rows = {name: _joined(features, splits, name) for name in SPLITS}
    for name, table in rows.items():
        validation_rules.require_finite(table, f"features of the {name} split")
    examples, facts = of_rows(task, rows, subsystems)
    return Sets(**examples, facts={**facts, "dataset": splits.id, "week": splits.configuration})


def of_rows(
    task: Task, rows: Mapping[str, pa.Table], subsystems: pa.Table
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """Examples by split, and counts: of features rows that are in their splits already (a benchmark's own protocol)."""
    withheld = {}
    facts: dict[str, Any] = {
        "rows": {},
        "withheld": withheld,
        "dataset_rows": {n: t.num_rows for n, t in rows.items()},
    }
    train = without_families(rows[TRAIN], *(rows[name] for name in EVALUATION))
    withheld["family"] = rows[TRAIN].num_rows - train.num_rows
    examples = {}
    for name, table in {**rows, TRAIN: train}.items():
        _refuse_empty(task.NAME, name, table, facts)
        examples[name] = task.prepare(labels.add(table, subsystems))
        facts["rows"][name] = examples[name].num_rows
        _refuse_empty(task.NAME, name, examples[name], facts)
    return examples, facts


def without_families(train: pa.Table, *others: pa.Table) -> pa.Table:
    """Rows whose `family` is in none of the other tables."""
    import pyarrow as pa
    import pyarrow.compute as pc

    taken = pa.concat_tables([table.select(["family"]) for table in others])["family"].combine_chunks()
    return train.filter(pc.invert(pc.is_in(train["family"], taken)))


def _joined(features: pa.Table, splits: Version, name: str) -> pa.Table:
    """Features of a split's records, in the order of their hashes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    key = definitions.KEY
    wanted = pc.unique(splits.table(name, [key])[key])
    found = features.filter(pc.is_in(features[key], wanted)).sort_by(key)
    missing = pc.filter(
        wanted,
        pc.invert(
            pc.is_in(wanted, found[key].combine_chunks() if found.num_rows else pa.array([], pa.string()))
        ),
    )
    if len(missing):
        raise PermanentError(
            f"{len(missing)} of {len(wanted)} methods of the dataset's {name} split have no features (first: {missing[0]}): "
            "materialise the features of this week's splits first"
        )
    return found


def _refuse_empty(task: str, split: str, table: pa.Table, facts: Mapping[str, Any]) -> None:
    if table.num_rows:
        return
    had = facts.get("dataset_rows", {}).get(split, 0)
    withheld = facts.get("withheld", {}).get("family", 0)
    if not had:
        why = "the dataset's split has no rows: add configurations or repositories, or raise splits in dataset.yaml"
    elif split == TRAIN and withheld == had:
        why = f"all of its {had} rows share a family with validation or test: add configurations or repositories"
    else:
        why = f"none of its {had} rows is an example of this task: add configurations that have what it learns from"
    raise PermanentError(f"{task}: the {split} set is empty; {why}")
