"""The assets of history: one run does a range, a month that fails is made alone, and pins are said by all assets."""

from __future__ import annotations

import base64
import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from lxml import etree

from ai_stack_assets.defs.history.jobs import history_every_day
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.onec.history import backfill
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import days_of, history_key, history_periods, periods_of
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets_tests.domain.onec.git_history import Repository, sources
from ai_stack_assets_tests.platform import LAKE, SAMPLE, Platform, asked_by, location, metadata

HISTORY = list(keys.HISTORY_KEYS.values())


@pytest.fixture
def repository(tmp_path: Path, platform: Platform) -> Repository:
    """Configuration `trade` with two states in January 2020, none in February and one in March."""
    repository = Repository(tmp_path / "trade")
    for day, methods in (("01-10", "А"), ("01-20", "А Б"), ("03-05", "А В")):
        repository.commit(f"2020-{day}", sources(methods))
    platform.configure(trade=f"{repository.folder}@main")
    return repository


def run(platform: Platform, first: str, last: str, assets: list[dg.AssetKey] | None = None, **tags: str):
    job = dg.define_asset_job("tested", dg.AssetSelection.assets(*(assets or HISTORY)))
    own = [a for a in location().assets if isinstance(a, dg.AssetsDefinition) and set(HISTORY) & a.keys]
    definitions = dg.Definitions(own, resources=platform.resources(), jobs=[job])
    return definitions.resolve_job_def("tested").execute_in_process(
        tags={
            "dagster/asset_partition_range_start": history_key("trade", first),
            "dagster/asset_partition_range_end": history_key("trade", last),
            **tags,
        },
        instance=platform.instance,
        raise_on_error=False,
    )


def periods(platform: Platform, table: str = "history") -> set[str]:
    found = platform.instance.get_materialized_partitions(keys.HISTORY_KEYS[table])
    return {key.partition("|")[2] for key in found}


def said(result: dg.ExecuteInProcessResult, table: str) -> dict[str, dict]:
    """Metadata by period."""
    return {
        event.partition.partition("|")[2]: {k: v.value for k, v in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key == keys.HISTORY_KEYS[table]
    }


@pytest.mark.usefixtures("repository")
def test_one_run_makes_every_month_of_a_range(platform):
    result = run(platform, "2019-12", "2020-03")
    assert result.success
    for table in keys.HISTORY_KEYS:
        assert periods(platform, table) == {"2019-12", "2020-01", "2020-02", "2020-03"}
    told = said(result, "history")
    assert [told[month]["status"] for month in sorted(told)] == [*("no_commit", "read", "unchanged", "read")]
    assert [told[month]["dagster/row_count"] for month in sorted(told)] == [0, 2, 0, 1]
    assert (told["2020-01"]["methods"], told["2020-01"]["methods_added"]) == (2, 1)
    assert (told["2020-03"]["methods_added"], told["2020-03"]["methods_removed"]) == (1, 1)
    assert "2020-01-20" in told["2020-01"]["states"]
    assert said(result, "history_kinds")["2020-01"]["objects_by_kind"]["Catalog"] == 1
    sample = said(result, "history_changes")["2020-03"]["sample"]
    assert sample == {
        "2020-03-05": {
            "method added": ["CommonModule.Общий.Module.В"],
            "method removed": ["CommonModule.Общий.Module.Б"],
        }
    }


@pytest.mark.usefixtures("repository")
def test_the_backfill_of_the_job_makes_its_whole_range_too(platform):
    """Dagster tags its run with the dimensions of the first key beside the range."""
    of_the_first = {"dagster/partition/configuration": "trade", "dagster/partition/period": "2020-01"}
    assert run(platform, "2020-01", "2020-03", **of_the_first).success
    assert periods(platform) == {"2020-01", "2020-02", "2020-03"}


@pytest.mark.usefixtures("repository")
def test_a_month_without_a_commit_says_whose_state_it_is_and_has_no_rows(platform):
    quiet = said(run(platform, "2020-02", "2020-02"), "history")["2020-02"]
    assert (quiet["dagster/row_count"], quiet["since"], "methods" in quiet) == (0, "2020-01-20", False)


@pytest.mark.usefixtures("repository")
def test_every_table_shows_its_trend_as_a_picture(platform):
    result = run(platform, "2020-01", "2020-04")
    for table in keys.HISTORY_KEYS:
        told = said(result, table)
        assert {month for month, facts in told.items() if "trend" in facts} == {
            "2020-01",
            "2020-03",
            "2020-04",
        }
        [data] = re.findall(r"\(data:image/svg\+xml;base64,(\S+)\)", told["2020-04"]["trend"])
        picture = etree.fromstring(base64.b64decode(data))
        assert "2020-03-05" in "".join(picture.itertext())


@pytest.mark.usefixtures("repository")
def test_a_month_that_fails_is_red_and_is_made_alone_later(platform, monkeypatch):
    real = backfill.stage.build

    def full_disk(lake, day, *rest):
        if day == "2020-01-20":
            raise OSError(28, "No space left on device")
        return real(lake, day, *rest)

    monkeypatch.setattr(backfill.stage, "build", full_disk)
    result = run(platform, "2020-01", "2020-03")
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "trade 2020-01-20" in failed.step_failure_data.user_failure_data.description
    assert periods(platform) == {"2020-02", "2020-03"}
    monkeypatch.undo()
    again = run(platform, "2020-01", "2020-01")
    assert again.success
    assert said(again, "history")["2020-01"]["dagster/row_count"] == 2
    assert periods(platform) == {"2020-01", "2020-02", "2020-03"}


@pytest.mark.usefixtures("repository")
def test_a_month_that_is_not_over_is_made_up_to_yesterday(platform, tmp_path):
    this_month = datetime.now(ZoneInfo(settings.time_zone())).strftime("%Y-%m")
    told = said(run(platform, this_month, this_month), "history")[this_month]
    assert told["status"] in ("unchanged", "not_over_yet")


def test_a_rewritten_past_is_said(platform, repository):
    run(platform, "2020-01", "2020-03")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit("2020-04-06", sources("Иначе"))
    told = said(run(platform, "2020-04", "2020-04"), "history")["2020-04"]
    assert told["days_to_make_again"] == ["2020-03-05"]


def test_days_can_be_partitions_of_their_own():
    by_day = history_periods("2020-01-01", "UTC", by="day")
    assert periods_of(by_day).get_partition_keys()[:2] == ["2020-01-01", "2020-01-02"]
    assert days_of(by_day, "2020-01-02") == [date(2020, 1, 2)]
    by_month = history_periods("2020-01-01", "UTC")
    assert (days_of(by_month, "2020-02")[-1], len(days_of(by_month, "2020-02"))) == (date(2020, 2, 29), 29)


def test_the_schedule_asks_for_the_month_of_yesterday_where_there_is_a_repository(platform, repository):
    platform.configure(trade=f"{repository.folder}@main", demo=SAMPLE)
    first_of_march = datetime(2020, 3, 1, 1, tzinfo=ZoneInfo(settings.time_zone()))
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("configuration", ["trade", "demo"])
        configurations = platform.resources()["configurations"]
        asked = asked_by(history_every_day, instance, first_of_march, configurations=configurations)
    assert [request.partition_key for request in asked] == ["trade|2020-02"]


def test_a_configuration_that_is_not_listed_any_more_keeps_its_history_and_gets_no_more(platform, repository):
    run(platform, "2020-01", "2020-01")
    platform.configure(demo=repository.folder)
    result = run(platform, "2020-02", "2020-02")
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "add it there" in failed.step_failure_data.user_failure_data.description
    assert (platform.data / "lake" / "history" / "trade" / "2020-01-10" / "current").exists()


def test_a_source_without_a_past_says_what_it_takes(platform, tmp_path):
    (tmp_path / "plain").mkdir()
    platform.configure(trade=tmp_path / "plain")
    result = run(platform, "2020-01", "2020-01")
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


def test_history_in_a_bucket_is_made_once_for_all_machines(
    platform, repository, bucket_url, tmp_path, monkeypatch
):
    """The second machine has the bucket and the repository, and no folder of the first one."""
    made, real = [], backfill.stage.build
    monkeypatch.setattr(
        backfill.stage, "build", lambda lake, day, *rest: (made.append(day), real(lake, day, *rest))
    )
    other = Platform(tmp_path / "other", platform.instance)
    other.folder.mkdir()
    other.configure(trade=f"{repository.folder}@main")
    for machine in (platform, other):
        machine.replaced["lake"] = LakeResource(data=str(machine.data), url=bucket_url)

    assert run(platform, "2020-01", "2020-02").success
    result = run(other, "2020-01", "2020-03")

    assert result.success
    assert made == ["2020-01-10", "2020-01-20", "2020-03-05"]
    told = said(result, "history")
    assert [told[month]["dagster/row_count"] for month in sorted(told)] == [2, 0, 1]
    assert (told["2020-03"]["methods_added"], told["2020-03"]["methods_removed"]) == (1, 1)
    assert "trend" in told["2020-03"]
    assert not (platform.data / "lake" / "history" / "trade" / "2020-03-05").exists()

    repository.git(
        "reset", "-q", "--hard", "HEAD~1"
    )  # the past is rewritten: its day goes from the bucket, too
    assert run(platform, "2020-03", "2020-03").success
    kept = LakeResource(data=str(tmp_path / "third"), url=bucket_url).open("history/trade").configurations()
    assert kept == ["2020-01-10", "2020-01-20"]
