"""Prepared sets: every row is in the split that the dataset gave it, or withheld; what is missing is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.training import labels, prepared
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features import store
from ai_stack_assets.domain.training.features.sources import SplitRecords
from ai_stack_assets_tests.domain.training.makers import (
    AnyMethod,
    a_configuration,
    a_record,
    a_split,
    features_of,
)

NO_LABELS = labels.subsystems([])


def methods(owner: str, count: int = 1) -> list[dict[str, Any]]:
    return [a_record(f"Метод{n}", owner, f"\tА = {n}; // {owner}") for n in range(count)]


SPLITS = {
    "train": methods("CommonModule.Курсы", 3) + methods("CommonModule.Банки", 2),
    "validation": methods("Catalog.Склады", 2),
    "test": methods("Catalog.Партнеры", 2),
}


def sets(folder: Path, rows: Mapping[str, list[dict[str, Any]]], task: Any = None, **options: Any) -> Sets:
    splits = a_split(folder, rows)
    by_split = prepared.of_splits(features_of(splits), splits)
    return prepared.sets(task or AnyMethod(), by_split, NO_LABELS, **options)


def families(table: pa.Table) -> set[str]:
    return set(table["family"].to_pylist())


def test_rows_are_in_the_splits_of_the_dataset(tmp_path: Path):
    made = sets(tmp_path, SPLITS)

    for name, records in SPLITS.items():
        assert set(getattr(made, name)["id"].to_pylist()) == {record["id"] for record in records}
    assert made.facts["rows"] == {"train": 5, "validation": 2, "test": 2}
    assert made.facts["withheld_by_family"] == {"train": 0, "validation": 0, "test": 0}


def test_training_rows_of_a_family_in_evaluation_are_withheld(tmp_path: Path):
    rows = {**SPLITS, "train": SPLITS["train"] + methods("CommonModule.СкладыСервер", 4)}

    made = sets(tmp_path, rows)

    assert families(made.train) == {"курсы", "банки"}
    assert made.facts["withheld_by_family"] == {"train": 4, "validation": 0, "test": 0}


def test_evaluation_rows_of_a_family_that_is_mostly_in_training_are_withheld(tmp_path: Path):
    many = prepared.TRAIN_ROWS_PER_EVALUATION_ROW + 1
    rows = {
        **SPLITS,
        "train": methods("CommonModule.СкладыСервер", many),
        "test": SPLITS["test"] + methods("Document.Склады"),
    }
    rows["validation"] = SPLITS["validation"][:0] + methods("Catalog.Валюты")

    made = sets(tmp_path, rows)

    assert families(made.train) == {"склады"}
    assert (families(made.validation), families(made.test)) == ({"валюты"}, {"партнеры"})
    assert made.facts["withheld_by_family"] == {"train": 0, "validation": 0, "test": 1}


def test_no_families_are_withheld_where_a_benchmark_says_so(tmp_path: Path):
    rows = {**SPLITS, "train": SPLITS["train"] + methods("CommonModule.СкладыСервер", 4)}

    assert sets(tmp_path, rows, sides={}).train.num_rows == 9


def test_rows_that_are_not_of_the_dataset_are_left_out(tmp_path: Path):
    splits = a_split(tmp_path, SPLITS)
    more = a_split(tmp_path / "more", {"train": methods("Catalog.Прочее")})

    rows = prepared.of_splits(pa.concat_tables([features_of(splits), features_of(more)]), splits)

    assert {name: table.num_rows for name, table in rows.items()} == {"train": 5, "validation": 2, "test": 2}


def test_methods_without_features_are_named(tmp_path: Path):
    splits = a_split(tmp_path, SPLITS)
    features = features_of(splits)
    lost = SPLITS["test"][0]["content_hash"]

    with pytest.raises(
        PermanentError, match=f"1 of 2 methods of the dataset's test split .*{lost}.*materialise the features"
    ):
        prepared.of_splits(features.filter(pc.not_equal(features["content_hash"], lost)), splits)
    with pytest.raises(PermanentError, match="5 of 5 methods of the dataset's train split have no features"):
        prepared.of_splits(features.slice(0, 0), splits)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_features_that_are_not_finite_are_refused(tmp_path: Path, value: float | None):
    splits = a_split(tmp_path, SPLITS)
    features = features_of(splits)
    place = features.schema.get_field_index("comment_share")
    shares = [value, *features["comment_share"].to_pylist()[1:]]
    spoilt = features.set_column(place, "comment_share", pa.array(shares, pa.float32()))

    with pytest.raises(
        PermanentError,
        match=r"train split: comment_share is null or not finite in 1 of 5 rows .*computed anew",
    ):
        prepared.of_splits(spoilt, splits)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_an_empty_split_is_named_with_what_to_do(tmp_path: Path, split: str):
    with pytest.raises(
        PermanentError, match=f"any: the {split} set is empty; the dataset's split has no rows: add"
    ):
        sets(tmp_path, {**SPLITS, split: []})


def test_a_train_set_that_is_all_withheld_says_so(tmp_path: Path):
    with pytest.raises(
        PermanentError, match="train set is empty; all of its 2 rows are of families in other splits"
    ):
        sets(tmp_path, {**SPLITS, "train": methods("CommonModule.Склады", 2)})


def test_a_split_without_examples_of_the_task_says_so(tmp_path: Path):
    class OnlyModules(AnyMethod):
        def prepare(self, rows: pa.Table) -> pa.Table:
            return rows.filter(pc.equal(rows["module_type"], "CommonModule"))

    with pytest.raises(
        PermanentError, match="validation set is empty; none of its 2 rows is an example of this task"
    ):
        sets(tmp_path, SPLITS, OnlyModules())


def build(folder: Path, splits: Version, *configurations: Version, task: Any = None) -> prepared.Made:
    features = store.update(Lake(folder / "features"), SplitRecords(splits)).version
    lake = Lake(folder / "examples")
    return prepared.build(
        lake, task or AnyMethod(), features=features, splits=splits, configurations=configurations
    )


def test_what_is_built_is_read_back_with_its_labels_and_where_it_came_from(tmp_path: Path):
    configuration = a_configuration(
        tmp_path, {"А": ["CommonModule.Курсы"], "Б": ["Catalog.Склады"], "В": ["Catalog.П"]}
    )
    splits = a_split(tmp_path, SPLITS)

    made = build(tmp_path, splits, configuration)
    found = prepared.read(made.version)

    assert sorted(found.train["subsystem"].to_pylist(), key=str) == [None, None, "А", "А", "А"]
    assert found.validation["subsystem"].to_pylist() == ["Б", "Б"]
    assert (found.facts["dataset"], found.facts["version"]) == ("given", made.version.id)
    assert found.facts["labels"] == {"trade": "given"}
    assert found.facts["rows"]["train"] == 5


def test_nothing_is_built_twice_from_the_same(tmp_path: Path):
    splits = a_split(tmp_path, SPLITS)
    first = build(tmp_path, splits)

    class Unused(AnyMethod):
        def prepare(self, rows: pa.Table) -> pa.Table:
            raise AssertionError("prepared again")

    assert first.is_new
    assert not build(tmp_path, splits, task=Unused()).is_new


def test_what_was_decided_of_a_family_stays_when_its_shares_change(tmp_path: Path):
    many = prepared.TRAIN_ROWS_PER_EVALUATION_ROW
    rows = {**SPLITS, "train": [*SPLITS["train"], *methods("CommonModule.СкладыСервер", many)]}
    first = prepared.read(build(tmp_path, a_split(tmp_path, rows)).version)

    grown = {**rows, "train": [*SPLITS["train"], *methods("CommonModule.СкладыСервер", 10 * many)]}
    second = prepared.read(build(tmp_path, a_split(tmp_path, grown, "later")).version)

    assert families(first.validation) == families(second.validation) == {"склады"}
    assert families(second.train) == {"курсы", "банки"}


def test_a_week_that_is_done_again_leaves_the_others_as_they_are(tmp_path: Path):
    weeks = ("2026-11-08", "2026-11-15")
    splits = {week: a_split(tmp_path, SPLITS, f"of {week}", week) for week in weeks}
    made = {week: build(tmp_path, splits[week]).version.id for week in reversed(weeks)}
    lake = Lake(tmp_path / "examples")

    assert {week: lake.require(week).id for week in weeks} == made
    assert not any(build(tmp_path, splits[week]).is_new for week in weeks)


@pytest.mark.parametrize(("first", "then"), [("2026-11-08", "2026-11-15"), ("2026-11-15", "2026-11-08")])
def test_weeks_follow_what_was_decided_of_a_family_in_whichever_order_they_are_done(
    tmp_path: Path, first: str, then: str
):
    many = prepared.TRAIN_ROWS_PER_EVALUATION_ROW
    rows = {**SPLITS, "train": [*SPLITS["train"], *methods("CommonModule.СкладыСервер", many)]}
    build(tmp_path, a_split(tmp_path, rows, "first", first))

    grown = {**rows, "train": [*SPLITS["train"], *methods("CommonModule.СкладыСервер", 10 * many)]}
    second = prepared.read(build(tmp_path, a_split(tmp_path, grown, "then", then)).version)

    assert families(second.validation) == {"склады"}
    assert families(second.train) == {"курсы", "банки"}


def test_examples_that_are_not_of_the_dataset_have_a_place(tmp_path: Path):
    table = pa.table({"method": ["А", "Б"], "changed": [True, False]})
    lake = Lake(tmp_path / "examples")

    made = prepared.keep(
        lake, "2026-11-15", "key", lambda _: (Sets(table, table, table, {"snapshots": 3}), {})
    )
    again = prepared.keep(lake, "2026-11-15", "key", lambda _: pytest.fail("made again"))

    assert prepared.read(made.version).test.equals(table)
    assert prepared.read(again.version).facts["snapshots"] == 3
    assert not again.is_new
