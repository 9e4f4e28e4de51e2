"""Exact duplicates become one record: which one stands for them, what of the others is kept, and what does not matter."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.merge import merge
from ai_stack_assets_tests.domain.dataset.makers import GOOD, WEEK, a_record, a_version, rows_of

OLD, NEW = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2020, 2026))


def merged(tmp_path: Path, **rows: list[dict[str, Any]] | None) -> Version:
    sources = {
        name: None if given is None else a_version(tmp_path, given, name) for name, given in rows.items()
    }
    return stage.build(Lake(tmp_path / "merged"), WEEK, "made", lambda parts: merge(sources, parts))[0]


def test_code_that_differs_in_blanks_alone_becomes_one_record_with_both_places(tmp_path: Path) -> None:
    one = a_record(GOOD, repository="owner/one", stars=5)
    two = a_record(GOOD.replace("\t", "    "), repository="owner/two")
    other = a_record(GOOD + " // другая", path="src/Other.bsl")
    version = merged(tmp_path, github=[two, one, other])
    rows = rows_of(version)
    assert [row["id"] for row in rows] == [one["id"], other["id"]]
    assert [place["repository"] for place in rows[0]["provenances"]] == ["owner/one", "owner/two"]
    assert version.manifest["facts"]["exact_duplicates"] == 1


def test_each_place_is_kept_once(tmp_path: Path) -> None:
    one, two = a_record(repository="owner/one", stars=1), a_record(repository="owner/two")
    two["provenances"] = [*two["provenances"], *one["provenances"]]
    (row,) = rows_of(merged(tmp_path, github=[one, two]))
    assert [place["repository"] for place in row["provenances"]] == ["owner/one", "owner/two"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (
            {"is_publishable": True},
            {"is_publishable": False, "doc_comment": "Сумма.", "changed_at": NEW, "stars": 9},
        ),
        ({"doc_comment": "Сумма."}, {"doc_comment": " \n", "changed_at": NEW, "stars": 9}),
        ({"changed_at": NEW}, {"changed_at": OLD, "stars": 9}),
        ({"changed_at": OLD}, {"changed_at": None, "stars": 9}),
        ({"stars": 9}, {"stars": 1}),
    ],
)
def test_the_record_that_stands_for_all_is_chosen_by_the_rule(
    tmp_path: Path, better: dict[str, Any], worse: dict[str, Any]
) -> None:
    good, bad = a_record(repository="z/good", **better), a_record(repository="a/bad", **worse)
    (row,) = rows_of(merged(tmp_path, github=[bad, good]))
    assert row["repository"] == "z/good"
    assert row["provenances"][0]["repository"] == "z/good"


def test_equals_in_everything_the_smallest_id_stands_for_all(tmp_path: Path) -> None:
    twins = [a_record(repository=f"owner/{n}") for n in range(5)]
    (row,) = rows_of(merged(tmp_path, github=twins))
    assert row["id"] == min(twin["id"] for twin in twins)


def test_a_private_twin_leaves_the_record_under_the_licence_of_the_public_one(tmp_path: Path) -> None:
    private = a_record(
        source="postgres", repository="erp", is_publishable=False, licence="NOASSERTION", doc_comment="Сумма."
    )
    public = a_record(repository="owner/one", licence="MIT")
    version = merged(tmp_path, postgres=[private], github=[public], its=[])
    (row,) = rows_of(version)
    assert (row["licence"], row["source"], row["is_publishable"]) == ("MIT", "github", True)
    assert [place["source"] for place in row["provenances"]] == ["github", "postgres"]
    facts = version.manifest["facts"]
    assert facts["upgraded"] == 1
    assert facts["exact_duplicates_by_pair"] == {"github ← postgres": 1}
    assert facts["rows_in"] == {"postgres": 1, "github": 1}


def test_a_source_that_failed_is_named_and_the_others_are_merged(tmp_path: Path) -> None:
    version = merged(tmp_path, github=None, postgres=[a_record(source="postgres")])
    assert version.rows("records") == 1
    assert version.manifest["facts"]["missing_sources"] == ["github", "its"]


def test_without_any_row_there_is_an_empty_table(tmp_path: Path) -> None:
    version = merged(tmp_path, github=[])
    assert rows_of(version) == []
    assert version.manifest["facts"]["rows_out"] == 0


def test_an_id_that_a_source_gave_twice_is_told(tmp_path: Path) -> None:
    one, two = a_record(GOOD), a_record(GOOD + "\n")
    other = a_record(GOOD.replace("100", "50"))
    assert one["id"] == two["id"] == other["id"]
    facts = merged(tmp_path, github=[one, two, other]).manifest["facts"]
    assert facts["repeated_ids"] == {"count": 1, "sample": [one["id"]]}


def test_the_order_of_the_rows_does_not_change_what_is_chosen_or_kept(tmp_path: Path) -> None:
    rows = [a_record(repository=f"owner/{n}", stars=n % 2) for n in range(4)]
    found = []
    for number, order in enumerate(itertools.permutations(rows)):
        found.append(rows_of(merged(tmp_path / str(number), github=list(order))))
    assert all(other == found[0] for other in found)
