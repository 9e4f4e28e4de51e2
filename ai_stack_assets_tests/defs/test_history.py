"""The assets of history: one run does a range, a day that fails is made alone, and pins are said by all assets."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import dagster as dg
import pytest
from lxml import etree

from ai_stack_assets.domain.onec.history import backfill
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import history_key
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources
from ai_stack_assets_tests.platform import LAKE, Platform, location, metadata

HISTORY = list(keys.HISTORY_KEYS.values())


@pytest.fixture
def repository(tmp_path: Path, platform: Platform) -> Repository:
    """Configuration `trade` with states on the first, the third and the fifth of January 2020."""
    repository = Repository(tmp_path / "trade")
    for day, methods in ((1, "А"), (3, "А Б"), (5, "А В")):
        repository.commit(f"2020-01-0{day}", sources(methods))
    platform.configure(trade=f"{repository.folder}@main")
    return repository


def run(platform: Platform, first: str, last: str, assets: list[dg.AssetKey] | None = None):
    job = dg.define_asset_job("tested", dg.AssetSelection.assets(*(assets or HISTORY)))
    own = [a for a in location().assets if isinstance(a, dg.AssetsDefinition) and set(HISTORY) & a.keys]
    definitions = dg.Definitions(own, resources=platform.resources(), jobs=[job])
    return definitions.resolve_job_def("tested").execute_in_process(
        tags={
            "dagster/asset_partition_range_start": history_key("trade", first),
            "dagster/asset_partition_range_end": history_key("trade", last),
        },
        instance=platform.instance,
        raise_on_error=False,
    )


def days(platform: Platform, table: str = "history") -> set[str]:
    found = platform.instance.get_materialized_partitions(keys.HISTORY_KEYS[table])
    return {key.partition("|")[2] for key in found}


def said(result: dg.ExecuteInProcessResult, table: str) -> dict[str, dict]:
    """Metadata by day."""
    return {
        event.partition.partition("|")[2]: {k: v.value for k, v in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key == keys.HISTORY_KEYS[table]
    }


@pytest.mark.usefixtures("repository")
def test_one_run_makes_every_day_of_a_range(platform):
    result = run(platform, "2019-12-31", "2020-01-06")
    assert result.success
    for table in keys.HISTORY_KEYS:
        assert days(platform, table) == {"2019-12-31", *(f"2020-01-0{day}" for day in range(1, 7))}
    told = said(result, "history")
    assert [told[day]["status"] for day in sorted(told)] == [
        *("no_commit", "read", "unchanged", "read", "unchanged", "read", "unchanged")
    ]
    assert told["2020-01-03"]["methods"] == 2
    assert (told["2020-01-05"]["methods_added"], told["2020-01-05"]["methods_removed"]) == (1, 1)
    assert said(result, "history_kinds")["2020-01-01"]["objects_by_kind"]["Catalog"] == 1
    sample = said(result, "history_changes")["2020-01-05"]["sample"]
    assert sample["method added"] == ["CommonModule.Общий.Module.В"]


@pytest.mark.usefixtures("repository")
def test_a_day_without_a_commit_says_whose_state_it_is_and_has_no_rows(platform):
    quiet = said(run(platform, "2020-01-03", "2020-01-04"), "history")["2020-01-04"]
    assert (quiet["dagster/row_count"], quiet["since"]) == (0, "2020-01-03")


@pytest.mark.usefixtures("repository")
def test_every_table_shows_its_trend_as_a_picture(platform):
    result = run(platform, "2020-01-01", "2020-01-06")
    for table in keys.HISTORY_KEYS:
        told = said(result, table)
        assert {day for day, facts in told.items() if "trend" in facts} == {
            *("2020-01-01", "2020-01-03", "2020-01-05", "2020-01-06")
        }
        [data] = re.findall(r"\(data:image/svg\+xml;base64,(\S+)\)", told["2020-01-06"]["trend"])
        picture = etree.fromstring(base64.b64decode(data))
        assert "2020-01-05" in "".join(picture.itertext())


@pytest.mark.usefixtures("repository")
def test_a_day_that_fails_is_red_and_is_made_alone_later(platform, monkeypatch):
    real = backfill.stage.build

    def full_disk(lake, day, *rest):
        if day == "2020-01-03":
            raise OSError(28, "No space left on device")
        return real(lake, day, *rest)

    monkeypatch.setattr(backfill.stage, "build", full_disk)
    result = run(platform, "2020-01-01", "2020-01-05")
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "trade 2020-01-03" in failed.step_failure_data.user_failure_data.description
    assert days(platform) == {"2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"}
    monkeypatch.undo()
    assert run(platform, "2020-01-03", "2020-01-03").success
    assert "2020-01-03" in days(platform)


def test_a_rewritten_past_is_said(platform, repository):
    run(platform, "2020-01-01", "2020-01-05")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit("2020-01-06", sources("Иначе"))
    told = said(run(platform, "2020-01-06", "2020-01-06"), "history")["2020-01-06"]
    assert told["days_to_make_again"] == ["2020-01-05"]


def test_a_configuration_that_is_not_listed_any_more_keeps_its_history_and_gets_no_more(platform, repository):
    run(platform, "2020-01-01", "2020-01-01")
    platform.configure(demo=repository.folder)
    result = run(platform, "2020-01-03", "2020-01-03")
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "add it there" in failed.step_failure_data.user_failure_data.description
    assert (platform.data / "lake" / "history" / "trade" / "2020-01-01" / "current").exists()


def test_a_source_without_a_past_says_what_it_takes(platform, tmp_path):
    (tmp_path / "plain").mkdir()
    platform.configure(trade=tmp_path / "plain")
    result = run(platform, "2020-01-01", "2020-01-01")
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "is no git repository" in failed.step_failure_data.user_failure_data.description


def test_extraction_says_what_it_is_pinned_to(platform, repository):
    old = repository.git("rev-parse", "HEAD~1")
    platform.file.write_text(
        f"configurations:\n  - name: trade\n    source: {repository.folder}@main\n    pin: '{old}'\n"
    )
    said = metadata(platform.run(LAKE, "trade"), keys.lake("methods"))
    assert (said["pinned_to"], said["source"]["commit"], said["dagster/row_count"]) == (old, old, 2)


def test_a_pinned_version_that_is_much_smaller_does_not_empty_a_store(platform, tmp_path):
    many = " ".join(f"М{number}" for number in range(120))
    repository = Repository(tmp_path / "shrinking")
    repository.commit("2020-01-01", sources("А"))
    repository.commit("2020-01-02", sources(many))
    platform.configure(trade=f"{repository.folder}@main")
    store = keys.ELASTICSEARCH_DOCUMENTS
    assert platform.run([*LAKE, store], "trade").success
    old = repository.git("rev-parse", "HEAD~1")
    text = f"configurations:\n  - name: trade\n    source: {repository.folder}@main\n    pin: '{old}'\n"
    platform.file.write_text(text)
    refused = platform.run([*LAKE, store], "trade")
    [failed] = [event for event in refused.all_events if event.is_step_failure]
    assert "would shrink" in failed.step_failure_data.user_failure_data.description
    allowed = platform.run([store], "trade", config={store.to_python_identifier(): {"allow_shrink": True}})
    assert allowed.success
    assert metadata(allowed, store)["pinned_to"] == old
