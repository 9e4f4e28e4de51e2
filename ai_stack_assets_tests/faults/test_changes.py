"""Another mapping, another vectoriser: built beside, then switched, under the eyes of a reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.domain.stores.search import documents
from ai_stack_assets_tests.faults.conftest import options
from ai_stack_assets_tests.faults.kills import Watch
from ai_stack_assets_tests.faults.lake import OLD, ROWS, version
from ai_stack_assets_tests.faults.stores import SERVERS, Subject, _vectorisers


@pytest.mark.parametrize("engine", ["search", "elasticsearch_server"])
def test_a_new_mapping_is_filled_beside_and_search_is_never_empty(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = options(engine, request.getfixturevalue(engine)) if engine in SERVERS else {}
    store = Subject(engine, str(tmp_path), given, f"смена-{engine}")
    wanted = version(store.lake, OLD, store.configuration)
    store.sync(wanted)
    monkeypatch.setattr(documents, "MAPPING", "0123abcd")
    with Watch(store) as watch:
        report = store.sync(wanted)
    assert report.total("added") == report.total("rows")
    assert watch.looked > 0
    assert (watch.mixed, watch.errors, watch.told) == ([], [], 0)
    assert store.differences(wanted) == {}
    assert store.seen()[OLD] == ROWS


def test_a_new_vectoriser_is_filled_beside_and_answers_never_stop(tmp_path: Path) -> None:
    store = Subject("vectors", str(tmp_path))
    wanted = version(store.lake, OLD)
    store.sync(wanted)
    before = store.client().engine.published(store.configuration)
    _vectorisers(tmp_path).ensure(wanted, refit=True)
    with Watch(store) as watch:
        report = store.sync(wanted)
    after = store.client().engine.published(store.configuration)
    if before.space != after.space:
        assert report.total("added") == report.total("rows")
    assert watch.looked > 0
    assert (watch.mixed, watch.errors) == ([], [])
    assert store.differences(wanted) == {}
