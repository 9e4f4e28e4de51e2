"""A week of the dataset from its sources to its shards, and what a look at it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.pipeline import SOURCE_TABLES, Week
from ai_stack_assets.domain.dataset.publishing import export
from ai_stack_assets.domain.dataset.settings import DatasetSettings
from ai_stack_assets.domain.dataset.sources.collect import Source, collect
from ai_stack_assets_tests.domain.dataset.makers import GOOD, WEEK, a_record


def sources(*codes: str) -> Mapping[str, Source]:
    rows = [a_record(code, path=f"src/{n}.bsl") for n, code in enumerate(codes)]
    table = pa.Table.from_pylist(rows, records.schema())
    github = Source("github", look=lambda _: ("|".join(codes), None), read=lambda *_: iter([table]))
    off = {
        name: Source(name, off="not asked here", look=lambda _: ("", None), read=lambda *_: iter(()))
        for name in SOURCE_TABLES
    }
    return {**off, "github": github}


@pytest.fixture
def week(tmp_path: Path) -> Week:
    (tmp_path / "work").mkdir()
    return Week(lambda name: Lake(tmp_path / name), WEEK, DatasetSettings(), tmp_path / "work")


def build(week: Week, given: Mapping[str, Source]) -> None:
    for name, table in SOURCE_TABLES.items():
        collect(given[name], week.lake(table), WEEK)
    week.merged(), week.deduplicated(lambda *_: None), week.filtered(), week.split()
    week.shards(export.PARQUET), week.shards(export.JSONL)


def test_a_week_that_is_built_is_as_it_was(week: Week) -> None:
    build(week, sources(GOOD))
    assert week.is_as_it_was(sources(GOOD), is_past=False)


def test_a_look_makes_nothing_of_a_week_that_is_not_built(week: Week) -> None:
    assert not week.is_as_it_was(sources(GOOD), is_past=False)
    given = sources(GOOD)
    for name, table in SOURCE_TABLES.items():
        collect(given[name], week.lake(table), WEEK)
    assert not week.is_as_it_was(given, is_past=False)
    assert week.lake("merged").current(WEEK) is None


def test_new_code_or_another_setting_is_seen(week: Week) -> None:
    build(week, sources(GOOD))
    assert not week.is_as_it_was(sources(GOOD, GOOD.replace("Скидка", "Наценка")), is_past=False)
    settings = week.settings
    week.settings = replace(settings, dedupe=replace(settings.dedupe, threshold=0.5))
    before = week.lake("deduplicated").require(WEEK).id
    assert not week.is_as_it_was(sources(GOOD), is_past=False)
    assert week.lake("deduplicated").require(WEEK).id == before
