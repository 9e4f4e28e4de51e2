"""The four stores: written, compared, failing alone, repaired; a configuration that vanished wipes none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.orchestration import failures, keys
from ai_stack_assets.orchestration.checks import HEALTH, PARITY
from ai_stack_assets.resources.stores import SearchResource, StoreResource
from ai_stack_assets_tests.platform import Platform, checks, made, metadata

STORES = dg.AssetSelection.groups(keys.STORES)
EXTRACTION = dg.AssetSelection.groups(keys.EXTRACTION)
SEARCH = keys.ELASTICSEARCH_DOCUMENTS
PARITY_OF_SEARCH = (SEARCH.to_user_string(), PARITY)
HEALTH_OF_SEARCH = (SEARCH.to_user_string(), HEALTH)


class BrokenResource(StoreResource):
    """A store that cannot be opened."""

    is_transient: bool

    def open(self) -> Any:
        broken = self

        class Client:
            @contextlib.contextmanager
            def open(self, configuration: str, **_: bool) -> Iterator[None]:
                raise TransientError("no answer") if broken.is_transient else PermanentError("wrong password")
                yield

        return Client()


@pytest.fixture
def extracted(platform: Platform) -> Platform:
    assert platform.run(EXTRACTION).success
    return platform


def test_every_store_holds_what_the_lake_holds_and_says_what_it_did(extracted: Platform) -> None:
    result = extracted.run(STORES)
    assert result.success
    assert set(keys.STORE_KEYS) <= made(result)
    assert all(checks(result)[key.to_user_string(), PARITY].passed for key in keys.STORE_KEYS)
    said = metadata(result, keys.POSTGRES_TABLES)
    rows = sum(extracted.version().rows(table) for table in TABLES)
    assert (said["dagster/row_count"], said["added"], said["removed"]) == (rows, rows, 0)
    assert said["lake_version"] == extracted.version().id
    assert {"compare", "write", "verify"} <= set(said["seconds"])
    again = metadata(extracted.run(STORES), keys.POSTGRES_TABLES)
    assert (again["added"], again["changed"], again["removed"], again["sent_bytes"]) == (0, 0, 0, 0)


def test_a_store_that_is_down_fails_alone_and_the_next_run_repairs_it(extracted: Platform) -> None:
    extracted.replaced["search"] = BrokenResource(data="", is_transient=False)
    result = extracted.run(STORES)
    assert not result.success
    assert {key for key in keys.STORE_KEYS if key not in made(result)} == {SEARCH}
    assert not checks(result)[HEALTH_OF_SEARCH].passed
    both_checks = dg.AssetSelection.checks(*(dg.AssetCheckKey(SEARCH, name) for name in (PARITY, HEALTH)))
    compared = extracted.run(both_checks)
    assert not compared.success and not checks(compared)[HEALTH_OF_SEARCH].passed
    extracted.replaced.clear()
    repaired = extracted.run(dg.AssetSelection.assets(SEARCH))
    assert repaired.success
    assert checks(repaired)[PARITY_OF_SEARCH].passed


def test_only_a_transient_failure_is_tried_again(
    extracted: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "FIRST_DELAY", 0)
    tries = {}
    for is_transient in (True, False):
        extracted.replaced["search"] = BrokenResource(data="", is_transient=is_transient)
        events = extracted.run([SEARCH]).all_events
        tries[is_transient] = 1 + sum(event.is_step_restarted for event in events)
    assert tries == {True: 1 + failures.MAX_RETRIES, False: 1}


def test_the_parity_check_runs_alone_finds_the_difference_and_writes_nothing(extracted: Platform) -> None:
    assert extracted.run([SEARCH]).success
    with extracted.resources()["search"].open().open("demo") as store, store.transaction():
        lost = store.actual("methods")["id"].slice(0, 2)
        store.delete("methods", lost.combine_chunks())
    only_check = dg.AssetSelection.checks(dg.AssetCheckKey(SEARCH, PARITY))
    for configuration in ("demo", None):
        result = extracted.run(only_check, configuration)
        found = checks(result)[PARITY_OF_SEARCH]
        assert not found.passed
        assert made(result) == set()
        assert found.metadata["actual"].value == 2
        sample = found.metadata["sample"].value["demo/methods"]["missing"]
        assert sorted(sample) == sorted(lost.to_pylist())
    repair = extracted.run([SEARCH])
    assert (metadata(repair, SEARCH)["added"], checks(repair)[PARITY_OF_SEARCH].passed) == (2, True)


def test_a_store_without_a_lake_version_says_what_to_run_first(platform: Platform) -> None:
    result = platform.run([SEARCH])
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "run its extraction first" in failed.step_failure_data.user_failure_data.description


def test_health_is_told_with_the_store_and_alone(extracted: Platform) -> None:
    with_the_store = checks(extracted.run([SEARCH]))
    assert with_the_store[HEALTH_OF_SEARCH].passed
    alone = checks(extracted.run(dg.AssetSelection.checks(dg.AssetCheckKey(SEARCH, HEALTH))))
    assert set(alone) == {HEALTH_OF_SEARCH} and alone[HEALTH_OF_SEARCH].passed


def test_an_unhealthy_store_says_which_setting_to_change(extracted: Platform) -> None:
    extracted.replaced["search"] = SearchResource(data=str(extracted.data), url="http://127.0.0.1:9")
    found = checks(extracted.run(dg.AssetSelection.checks(dg.AssetCheckKey(SEARCH, HEALTH))))
    assert not found[HEALTH_OF_SEARCH].passed
    assert "ELASTICSEARCH_URL" in (found[HEALTH_OF_SEARCH].description or "")
