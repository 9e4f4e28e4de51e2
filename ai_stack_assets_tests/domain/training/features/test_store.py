"""The features table: what is computed, what is reused, what a reader sees."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake
from ai_stack_assets.domain.dataset.declarations import declaration
from ai_stack_assets.domain.training.features import compute, definitions, store
from ai_stack_assets.domain.training.features.sources import ConfigurationRecords, SplitRecords
from ai_stack_assets_tests.domain.training.makers import (
    a_configuration,
    a_record,
    a_split,
    features_of,
    method,
)

ROWS = [a_record(f"Метод{n}", "Catalog.Валюты", f"\tА = {n};") for n in range(300)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "features")


def a_source(folder: Path, rows: list[dict[str, Any]], version: str) -> SplitRecords:
    return SplitRecords(a_split(folder, {"train": rows[::2], "test": rows[1::2]}, version))


def by_hash(version: Version) -> dict[str, dict[str, Any]]:
    return {row["content_hash"]: row for row in version.table("features").to_pylist()}


def test_the_table_has_the_features_of_all_records_once(lake: Lake, tmp_path: Path):
    source = a_source(tmp_path, [*ROWS, a_record("Метод1", "Catalog.Банки", "\tА = 1;")], "one")

    made = store.update(lake, source)

    assert made.facts["rows"] == made.facts["computed"] == 300
    assert made.facts["repeated"] == 1
    found = made.version.table("features")
    assert found.schema.equals(definitions.schema())
    expected = {row["content_hash"]: row for row in features_of(source.version).to_pylist()}
    assert len(found) == len(expected)
    others = {hash_: row for hash_, row in by_hash(made.version).items() if row["method_name"] != "Метод1"}
    assert others == {hash_: expected[hash_] for hash_ in others}


def test_nothing_is_read_while_the_source_is_the_same(lake: Lake, tmp_path: Path):
    first = store.update(lake, a_source(tmp_path, ROWS, "one"))

    class Unread:
        partition, version = "dataset", a_source(tmp_path, ROWS, "one").version

        def batches(self):
            raise AssertionError("read")

    again = store.update(lake, Unread())

    assert first.is_new
    assert not again.is_new
    assert again.version == first.version


def test_one_changed_method_is_computed_and_other_parts_are_taken_over(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store.update(lake, a_source(tmp_path, ROWS, "one"))
    asked: list[str] = []
    computed = compute.computed
    monkeypatch.setattr(
        compute,
        "computed",
        lambda inputs: (asked.extend(inputs["method_name"].to_pylist()), computed(inputs))[1],
    )

    changed = [a_record("Метод7", "Catalog.Валюты", "\tА = 1000;"), *ROWS[:7], *ROWS[8:]]
    made = store.update(lake, a_source(tmp_path, changed, "two"))

    assert asked == ["Метод7"]
    assert (made.facts["computed"], made.facts["reused"], made.facts["rows"]) == (1, 299, 300)
    # its old part and its new one are written, if these are two
    assert made.facts["parts_taken_over"] >= store.PARTS - 2
    expected = {
        row["content_hash"]: row
        for row in features_of(a_source(tmp_path, changed, "two").version).to_pylist()
    }
    assert by_hash(made.version) == expected


def test_a_new_comment_is_computed_anew_though_the_code_is_the_same(lake: Lake, tmp_path: Path):
    store.update(lake, a_source(tmp_path, ROWS, "one"))

    told = {**ROWS[3], "doc_comment": "Третий метод."}
    made = store.update(lake, a_source(tmp_path, [told, *ROWS[:3], *ROWS[4:]], "two"))

    assert made.facts["computed"] == 1
    assert by_hash(made.version)[told["content_hash"]]["doc_words"] == 2


def test_a_later_commit_of_the_same_code_is_told_but_not_computed(lake: Lake, tmp_path: Path):
    store.update(lake, a_source(tmp_path, ROWS, "one"))

    moment = datetime(2026, 11, 20, tzinfo=UTC)
    later = [{**row, "changed_at": moment} for row in ROWS]
    made = store.update(lake, a_source(tmp_path, later, "two"))

    assert (made.facts["computed"], made.facts["parts_taken_over"]) == (0, 0)
    assert {row["changed_at"] for row in by_hash(made.version).values()} == {moment}


def test_other_code_of_the_features_computes_all(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = a_source(tmp_path, ROWS, "one")
    store.update(lake, source)

    monkeypatch.setattr(definitions, "CODE_VERSION", "next")
    made = store.update(lake, source)

    assert made.is_new
    assert made.facts["computed"] == 300


def test_a_damaged_version_is_made_again(lake: Lake, tmp_path: Path):
    source = a_source(tmp_path, ROWS, "one")
    first = store.update(lake, source)
    before = by_hash(first.version)
    first.version.parts("features")[0].write_bytes(b"")

    again = store.update(lake, source)

    assert again.is_new
    assert by_hash(again.version) == before


def test_a_source_that_breaks_off_leaves_the_version_before(lake: Lake, tmp_path: Path):
    first = store.update(lake, a_source(tmp_path, ROWS, "one"))

    class Broken(SplitRecords):
        def batches(self):
            yield from super().batches()
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        store.update(lake, Broken(a_source(tmp_path, ROWS[:100], "two").version))

    assert lake.current("dataset") == first.version
    assert len(by_hash(first.version)) == 300


def test_more_rows_than_fit_into_memory_are_done_in_groups(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = a_source(tmp_path, ROWS, "one")
    expected = by_hash(store.update(Lake(tmp_path / "whole"), source).version)

    monkeypatch.setattr(store, "ROWS_AT_ONCE", 50)
    said: list[str] = []
    made = store.update(lake, source, say=said.append)

    assert by_hash(made.version) == expected
    assert len(said) >= 6
    assert said[-1] == "features of 300 of 300 methods"


def test_several_processes_give_the_same_table(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = a_source(tmp_path, ROWS, "one")
    alone = store.update(Lake(tmp_path / "alone"), source)

    monkeypatch.setattr(store, "_INLINE_ROWS", 100)
    monkeypatch.setattr(store, "_ROWS_PER_JOB", 40)
    together = store.update(lake, source, workers=2)

    assert [p.read_bytes() for p in together.version.parts("features")] == [
        p.read_bytes() for p in alone.version.parts("features")
    ]


def test_a_source_without_rows_gives_an_empty_table(lake: Lake, tmp_path: Path):
    made = store.update(lake, a_source(tmp_path, [], "one"))

    assert made.facts["rows"] == 0
    assert made.version.table("features").schema.equals(definitions.schema())


def test_in_a_bucket_parts_are_taken_over_on_a_machine_that_never_had_them(bucket_url: str, tmp_path: Path):
    def lake_of(machine: str) -> SharedLake:
        return SharedLake(tmp_path / machine, Bucket(bucket_url))

    store.update(lake_of("one"), a_source(tmp_path, ROWS, "one"))

    changed = [a_record("Метод7", "Catalog.Валюты", "\tА = 1000;"), *ROWS[:7], *ROWS[8:]]
    made = store.update(lake_of("two"), a_source(tmp_path, changed, "two"))

    assert made.facts["computed"] == 1
    assert made.facts["parts_taken_over"] >= store.PARTS - 2
    found = lake_of("three").require("dataset").table("features")
    assert set(found["content_hash"].to_pylist()) == {row["content_hash"] for row in changed}


def test_methods_of_a_configuration_are_the_records_that_the_dataset_has_of_them(lake: Lake, tmp_path: Path):
    source = ConfigurationRecords(a_configuration(tmp_path, {}))

    rows = store.update(lake, source).version.table("features").to_pylist()

    codes = [method("Курс", ""), method("Курс", "\tСумма = Сумма + 1;")]
    records = [
        a_record(
            "Курс",
            path="CommonModules/КурсыВалют/Module.bsl",
            code=code,
            signature=declaration(code, "Курс(Знач Сумма, Курс = 1)", is_export=True),
            twin=twin,
        )
        for twin, code in enumerate(codes)
    ]
    assert {(r["id"], r["content_hash"], r["signature"]) for r in rows} == {
        (r["id"], r["content_hash"], r["signature"]) for r in records
    }
    assert {(r["directive"], r["configuration"], r["doc_words"]) for r in rows} == {
        ("&НаСервере", "trade", 2)
    }


def test_records_that_are_none_are_refused(lake: Lake):
    import pyarrow as pa

    class Strange:
        partition, version = "dataset", Version("dataset", Path("strange"))

        def batches(self):
            yield pa.table({"id": ["1"]})

    with pytest.raises(PermanentError, match="without a column `code`"):
        store.update(lake, Strange())
