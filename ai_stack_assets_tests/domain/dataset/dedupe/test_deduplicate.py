"""Records in, records without near-duplicates out: who stays, who goes in favour of whom, what is remembered."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.dedupe.deduplicate import Settings, deduplicate
from ai_stack_assets_tests.domain.dataset.dedupe import brute_force as brute

WEEK = "2026-11-15"


def rows(codes, **columns):
    """Records named by their number; a column is a list with a value a record."""
    return [
        records.record(
            source="github",
            repository="a/b",
            path=f"{n}.bsl",
            code=code,
            **{name: values[n] for name, values in columns.items()},
        )
        for n, code in enumerate(codes)
    ]


@pytest.fixture
def run(tmp_path):
    def run(made, settings=None):
        table = pa.Table.from_pylist(made, records.schema())
        lake = Lake(tmp_path / "merged")
        version, _ = stage.build(
            lake, WEEK, stage.key("1", rows=made), lambda parts: parts.write("records", table) or {}
        )
        result, _ = stage.build(
            Lake(tmp_path / "deduplicated"),
            WEEK,
            stage.key("1", version, settings=settings),
            lambda parts: deduplicate(version, parts.write, settings),
        )
        return (
            {name: result.table(name).to_pylist() for name in ("records", "clusters", "removed")}
            | {"facts": result.manifest["facts"]}
        )  # fmt: skip

    return run


BASE = [f"слово{n}" for n in range(100)]


def changed(*places):
    return " ".join(f"иное{n}" if n in places else word for n, word in enumerate(BASE))


def test_the_publishable_one_stays_then_the_documented_then_the_newest(run):
    codes = [changed(50), changed(), changed(10), changed(90)]
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    later = day + datetime.timedelta(1)

    def stays(**columns):
        found = run(rows(codes, **columns))
        return [row["path"] for row in found["records"]]

    dates = [day, later, None, day]
    assert stays(changed_at=dates) == ["1.bsl"]
    assert stays(changed_at=dates, doc_comment=["", " \n", "Что делает", ""]) == ["2.bsl"]
    documented = ["", "", "Что делает", ""]
    assert stays(changed_at=dates, doc_comment=documented, is_publishable=[True, False, False, True]) != [
        "2.bsl"
    ]


def test_among_equals_the_lowest_id_stays_in_any_order(run):
    made = rows([changed(), changed(), changed(3)])
    first = run(made)["records"]
    assert [row["id"] for row in first] == [min(row["id"] for row in made)]
    assert run(made[::-1])["records"] == first


def test_a_chain_keeps_what_is_not_alike_to_the_one_that_stays(run):
    # neighbours differ in one word, the ends in three: 0.90 and about 0.74
    codes = [changed(10), changed(10, 30), changed(10, 30, 50), changed(10, 30, 50, 70)]
    days = [datetime.datetime(2026, 1, 9 - n, tzinfo=datetime.UTC) for n in range(4)]
    found = run(rows(codes, changed_at=days))
    assert [row["path"] for row in found["records"]] == ["0.bsl", "3.bsl"]
    assert {row["representative_id"] for row in found["removed"]} == {found["records"][0]["id"]}
    (cluster,) = found["clusters"]
    assert cluster["rows"] == 4
    assert cluster["cluster_id"] == found["records"][0]["id"]
    assert cluster["kept_ids"] == [row["id"] for row in found["records"]]


def test_what_is_removed_names_a_kept_one_that_is_alike_and_keeps_its_places(run):
    codes = brute.variants(11, 12, 12, 60, 6)
    made = rows(codes)
    found = run(made)
    code = {row["id"]: row["code"] for row in made}
    kept = {row["id"] for row in found["records"]}
    assert found["removed"]
    for gone in found["removed"]:
        assert gone["representative_id"] in kept
        exact = brute.jaccard(
            brute.shingles(code[gone["id"]]), brute.shingles(code[gone["representative_id"]])
        )
        assert gone["similarity"] == exact >= 0.8
        assert gone["provenances"] == next(row["provenances"] for row in made if row["id"] == gone["id"])
    assert len(kept) + len(found["removed"]) == found["facts"]["rows_in"] == len(made)


def test_clusters_are_the_components_of_brute_force(run):
    codes = brute.variants(5, 12, 12, 60, 6)
    made = rows(codes)
    found = run(made)
    by_cluster = {row["cluster_id"]: set(row["kept_ids"]) for row in found["clusters"]}
    for gone in found["removed"]:
        by_cluster[gone["cluster_id"]].add(gone["id"])
    label = brute.components([brute.shingles(c) for c in codes], 0.8)
    expected = {}
    for row, component in zip(made, label, strict=True):
        expected.setdefault(component, set()).add(row["id"])
    assert sorted(map(sorted, by_cluster.values())) == sorted(
        sorted(c) for c in expected.values() if len(c) > 1
    )


def test_nothing_that_is_unique_is_removed_and_texts_without_tokens_stay(run):
    found = run(rows(["// одно", "// другое", changed(), "А = 1;"]))
    assert len(found["records"]) == 4
    assert found["removed"] == found["clusters"] == []


def test_an_empty_version_gives_empty_tables(run):
    found = run([])
    assert found["records"] == found["clusters"] == found["removed"] == []
    assert found["facts"]["rows_in"] == 0


def test_a_small_memory_limit_spills_and_changes_nothing(run, tmp_path):
    made = rows(brute.variants(2, 40, 10, 60, 5))
    small = Settings(memory_bytes=40_000, folder=tmp_path)
    tight, roomy = run(made, small), run(made)
    assert tight["facts"]["spilled_bytes"] > 0
    assert tight["facts"]["passes"] > 1
    assert roomy["facts"]["spilled_bytes"] == 0
    for name in ("records", "clusters", "removed"):
        assert tight[name] == roomy[name]
