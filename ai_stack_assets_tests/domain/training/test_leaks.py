"""Each proof finds its leak, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ai_stack_assets.domain.training import leaks
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features import compute
from ai_stack_assets_tests.domain.training.makers import a_record, a_split, a_table, clusters

ROWS = {
    "train": [a_record("Раз", "CommonModule.Курсы"), a_record("Два", "CommonModule.Курсы")],
    "validation": [a_record("Три", "Catalog.Склады")],
    "test": [a_record("Четыре", "Catalog.Партнеры")],
}


def a_set(rows: list[dict[str, Any]]) -> pa.Table:
    return compute.compute(a_table(rows))


@pytest.fixture
def sets() -> Sets:
    return Sets(**{name: a_set(rows) for name, rows in ROWS.items()})


def test_sets_that_do_not_leak_pass_all_proofs(sets: Sets, tmp_path: Path):
    near = clusters(tmp_path, [row["id"] for row in ROWS["train"]])

    found = leaks.crossings(sets, splits=a_split(tmp_path, ROWS), clusters=near)

    assert [crossing.name for crossing in found] == [
        leaks.CODE, leaks.MODULE, leaks.FAMILY, leaks.SPLIT, leaks.CLUSTER,
    ]  # fmt: skip
    assert all(crossing.passed for crossing in found)


def test_the_same_code_in_two_splits_is_found(sets: Sets):
    found = leaks.code(replace(sets, test=a_set([*ROWS["test"], ROWS["train"][0]])))

    assert (found.count, found.sample) == (1, [ROWS["train"][0]["id"]] * 2)


def test_a_module_in_two_splits_is_found(sets: Sets):
    twin = a_record("Пять", "Catalog.Склады")

    found = leaks.module(replace(sets, test=a_set([*ROWS["test"], twin])))

    assert (found.count, found.sample) == (1, [ROWS["validation"][0]["id"], twin["id"]])


def test_a_module_of_the_same_name_in_another_configuration_is_another(sets: Sets):
    other = a_record("Пять", "Catalog.Склады", configuration="other")

    assert leaks.module(replace(sets, test=a_set([other]))).passed


def test_a_family_in_training_and_in_evaluation_is_found_between_those_two_it_may_be(sets: Sets):
    related = a_record("Пять", "CommonModule.СкладыКлиент")

    assert leaks.family(replace(sets, test=a_set([related]))).passed
    found = leaks.family(replace(sets, train=a_set([*ROWS["train"], related])))
    assert (found.count, set(found.sample)) == (1, {related["id"], ROWS["validation"][0]["id"]})


def test_near_duplicates_in_two_splits_are_found(sets: Sets, tmp_path: Path):
    first, second = ROWS["train"][0]["id"], ROWS["test"][0]["id"]

    found = leaks.cluster(sets, clusters(tmp_path, [first, second]))

    assert (found.count, found.sample) == (1, [first, second])


def test_a_row_that_was_moved_from_its_split_is_found(sets: Sets, tmp_path: Path):
    moved = replace(sets, train=a_set([*ROWS["train"], *ROWS["validation"]]))

    found = leaks.resplit(moved, a_split(tmp_path, ROWS))

    assert (found.count, found.sample) == (1, [ROWS["validation"][0]["id"]])


def test_a_sample_has_at_most_twenty_rows(sets: Sets):
    many = a_set([a_record(f"Метод{n}", "Catalog.Склады") for n in range(50)])

    found = leaks.module(replace(sets, train=many))

    assert (found.count, len(found.sample)) == (1, 20)
