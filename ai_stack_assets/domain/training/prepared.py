"""Examples of a task: the dataset's splits, the features of their methods, the labels. Splits are joined here, never drawn.

    <data>/lake/training/<task>_examples/<week>/<version>/train, validation, test, families

A method is in the split that the dataset stage gave it, for ever, or it is withheld: no family of modules is both learned from
and judged by. Where one is in training and in evaluation, the smaller loss decides: its training rows are withheld, unless there
are more than `TRAIN_ROWS_PER_EVALUATION_ROW` of them for each evaluation row; then those are. A decision stays (`families`):
this week's test is next week's, and a week that is done later follows the one before it. `leaks` proves all that from what was
written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
TRAIN, EVALUATION = SPLITS[0], "evaluation"
FAMILIES = "families"
TRAIN_ROWS_PER_EVALUATION_ROW = 10
"""Of two versions of the standard library (42,887 rows) 82 % of the training rows and 86 % of the evaluation rows stay. Were all
families of evaluation withheld from training, 27 % of it would stay: the split by modules touches nearly every large family."""


def build(
    lake: Lake, task: Task, *, features: Version, splits: Version, configurations: Sequence[Version] = ()
) -> Made:
    """The task's sets in the lake, made unless they are there: nothing is done while features, splits and labels are the same.

    Args:
        lake: `training/<task>_examples`.
        features: version of `features.store` that has the dataset's rows.
        splits: version of the dataset stage.
        configurations: of the lake `onec`, which labels are read off.

    Raises:
        PermanentError: see `sets`.
    """
    key = stage.key(
        f"{CODE_VERSION}.{labels.CODE_VERSION}.{task.CODE_VERSION}", features, splits, *configurations
    )

    def make(decided: Mapping[str, str]) -> tuple[Sets, dict[str, str]]:
        rows = of_splits(features.table("features"), splits)
        sides = sides_of(rows, decided)
        made = sets(task, rows, labels.subsystems(configurations), sides)
        facts = {
            "dataset": splits.id,
            "week": splits.configuration,
            "features": features.id,
            "labels": {version.configuration: version.id for version in configurations},
        }
        return Sets(made.train, made.validation, made.test, {**made.facts, **facts}), sides

    return keep(lake, splits.configuration, key, make)


def keep(
    lake: Lake, week: str, key: str, make: Callable[[Mapping[str, str]], tuple[Sets, Mapping[str, str]]]
) -> Made:
    """Sets in the lake; of a task that has other examples than the dataset's, too.

    Args:
        key: of all that the sets are made from.
        make: gets the families decided before, gives the sets and all decisions (none, when families mean nothing to it).
    """
    import pyarrow as pa

    current = lake.intact(week)
    if current and current.manifest["facts"]["key"] == key:
        return Made(current, False)
    before = current or _nearest(lake, week)
    families = before.table(FAMILIES).to_pydict() if before else {"family": [], "side": []}
    decided = dict(zip(families["family"], families["side"], strict=True))

    def write(parts: stage.Parts) -> dict[str, Any]:
        made, sides = make(decided)
        for split in SPLITS:
            parts.write(split, getattr(made, split))
        columns = [pa.array(list(values), pa.string()) for values in (sides, sides.values())]
        parts.write(FAMILIES, pa.table(columns, names=["family", "side"]))
        return {**made.facts, "key": key}

    return Made(*stage.build(lake, week, stage.key(key, before), write))


def _nearest(lake: Lake, week: str) -> Version | None:
    """Of the newest week before; of the oldest after when there is none: what was decided there is decided."""
    weeks = lake.configurations()
    earlier = [each for each in weeks if each < week]
    return lake.intact(earlier[-1] if earlier else weeks[0]) if weeks else None


def read(version: Version) -> Sets:
    """What `build` or `keep` wrote."""
    tables = {name: version.table(name) for name in SPLITS}
    return Sets(**tables, facts={**version.manifest["facts"], "version": version.id})


def of_splits(features: pa.Table, splits: Version) -> dict[str, pa.Table]:
    """Features of the methods of each split.

    Args:
        features: rows of the features table; more than those of the dataset may be there.
        splits: version with a table of records per split, as the dataset stage wrote it.

    Raises:
        PermanentError: methods have no features, or features are not finite. It says what to do.
    """
    rows = {name: _joined(features, splits, name) for name in SPLITS}
    for name, table in rows.items():
        validation_rules.require_finite(table, f"features of the {name} split")
    return rows


def sides_of(rows: Mapping[str, pa.Table], decided: Mapping[str, str] | None = None) -> dict[str, str]:
    """Per family that is in training and in evaluation the side that keeps it: `train`, `evaluation`. Decisions stay."""
    counts = {name: _counts(table) for name, table in rows.items()}
    sides = dict(decided or {})
    for family, train in counts[TRAIN].items():
        others = sum(counts[name].get(family, 0) for name in SPLITS if name != TRAIN)
        if others and family not in sides:
            sides[family] = TRAIN if train > TRAIN_ROWS_PER_EVALUATION_ROW * others else EVALUATION
    return sides


def sets(
    task: Task, rows: Mapping[str, pa.Table], subsystems: pa.Table, sides: Mapping[str, str] | None = None
) -> Sets:
    """Examples of a task.

    Args:
        rows: of the features table by split: `of_splits`, or a split of one's own, as benchmarks draw it.
        subsystems: as `labels.subsystems` gives them; no rows when there are none.
        sides: as `sides_of` gives them; by default those of `rows`.

    Raises:
        PermanentError: a split is empty, or what `task.prepare` finds missing (labels, a second class). It says what to do.
    """
    sides = sides_of(rows) if sides is None else sides
    had = {name: table.num_rows for name, table in rows.items()}
    examples, withheld = {}, {}
    for name in SPLITS:
        table = _without_families(rows[name], sides, EVALUATION if name == TRAIN else TRAIN)
        withheld[name] = had[name] - table.num_rows
        _refuse_empty(task.NAME, name, table, had[name], withheld[name])
        examples[name] = task.prepare(labels.add(table, subsystems))
        _refuse_empty(task.NAME, name, examples[name], had[name], withheld[name])
    counts = {name: table.num_rows for name, table in examples.items()}
    return Sets(**examples, facts={"rows": counts, "withheld_by_family": withheld, "dataset_rows": had})


def _counts(rows: pa.Table) -> dict[str, int]:
    return {count["values"]: count["counts"] for count in rows["family"].value_counts().to_pylist()}


def _without_families(rows: pa.Table, sides: Mapping[str, str], side: str) -> pa.Table:
    """Rows but those of the families that the side keeps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = pa.array([family for family, keeper in sides.items() if keeper == side], pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["family"], kept)))


def _joined(features: pa.Table, splits: Version, name: str) -> pa.Table:
    """Features of a split's records, in the order of their hashes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    key = definitions.KEY
    wanted = pc.unique(splits.table(name, [key])[key])
    found = features.filter(pc.is_in(features[key], wanted)).sort_by(key)
    known = pc.unique(found[key]) if found.num_rows else pa.array([], pa.string())
    missing = wanted.filter(pc.invert(pc.is_in(wanted, known)))
    if len(missing):
        raise PermanentError(
            f"{len(missing)} of {len(wanted)} methods of the dataset's {name} split have no features (first: {missing[0]}): "
            "materialise the features of this week's splits first"
        )
    return found


def _refuse_empty(task: str, split: str, table: pa.Table, had: int, withheld: int) -> None:
    if table.num_rows:
        return
    if not had:
        why = "the dataset's split has no rows: add configurations, or raise `splits` in dataset.yaml"
    elif withheld == had:
        why = f"all of its {had} rows are of families in other splits: add configurations or repositories"
    else:
        why = f"none of its {had} rows is an example of this task: add configurations that have what it learns from"
    raise PermanentError(f"{task}: the {split} set is empty; {why}")
