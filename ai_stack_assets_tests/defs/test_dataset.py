"""The dataset stage as assets: sources that fail alone, weeks that are rebuilt, gates that keep bad data from being published."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.defs.shared.alerts import run_failed
from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
from ai_stack_assets.orchestration import failures, keys
from ai_stack_assets.resources.dataset import DatasetSourcesResource, HubResource
from ai_stack_assets_tests.library import commit, library, method
from ai_stack_assets_tests.platform import Platform, checks, made, metadata
from ai_stack_assets_tests.servers import hub as hub_double

STAGE = dg.AssetSelection.groups(keys.DATASET)
SOURCES = dict(keys.DATASET_SOURCES)
DEAD = "http://127.0.0.1:9"


def newest(offset: int = 0) -> str:
    from ai_stack_assets.defs.dataset.weeks import WEEKS

    return WEEKS.get_partition_keys()[-1 - offset]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return library(tmp_path / "library")


@pytest.fixture
def dataset(platform: Platform, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """One git repository as the only source that is set; nothing waits before it tries again."""
    monkeypatch.setattr(failures, "seconds_to_wait", lambda *_: 0)
    configure(platform, repository)
    return platform


def configure(platform: Platform, *repositories: Path, more: str = "") -> None:
    named = "".join(f"\n  - '{r}'" for r in repositories) or " []"
    known = "".join(f"\n    {r}: MIT" for r in repositories) or " {}"
    (platform.folder / "dataset.yaml").write_text(
        f"name: team/bsl\ngithub:\n  workers: 1\n  manners: {{retries: 0}}\n  repositories:{named}\n  licences:{known}\n"
        f"its:\n  manners: {{retries: 0}}\n{more}"
    )


def its_is_down(platform: Platform) -> None:
    resources = platform.resources()
    platform.replaced["dataset_sources"] = DatasetSourcesResource(
        dataset=resources["dataset_settings"],
        postgres=resources["postgres"],
        its_user="u",
        its_password="p",
        its_url=DEAD,
        its_login_url=f"{DEAD}/login",
    )


def build(platform: Platform, week: str | None = None, **config: object) -> dg.ExecuteInProcessResult:
    """Without PostgreSQL, which has nothing to give here."""
    selection = STAGE - dg.AssetSelection.assets(SOURCES["postgres"])
    steps = {SOURCES["github"].to_python_identifier(): config} if config else None
    return platform.run(selection, week or newest(), steps)


def hub(platform: Platform) -> FolderHub:
    return FolderHub(platform.data / "huggingface", "team/bsl")


def test_a_week_ends_with_a_published_and_validated_revision(dataset: Platform) -> None:
    result = build(dataset)
    assert result.success
    assert all(check.passed for check in checks(result).values())
    assert metadata(result, keys.MERGED)["dagster/row_count"] == 48
    published = metadata(result, keys.PUBLISHED)
    assert published["dagster/row_count"] > 0 and published["tag"] == newest()
    assert hub(dataset).head("main").commit == published["revision"]


def test_each_step_shows_numbers_and_a_picture(dataset: Platform) -> None:
    result = build(dataset)
    assert metadata(result, SOURCES["github"])["state"] == "read"
    for key, picture in (
        (keys.MERGED, "Rows by source"),
        (keys.FILTERED, "Quality score"),
        (keys.SPLITS, "Rows by split"),
    ):
        assert "data:image/svg+xml" in metadata(result, key)[picture]


def test_a_source_that_fails_is_a_warning_and_the_others_go_on(dataset: Platform) -> None:
    its_is_down(dataset)
    result = build(dataset)
    assert result.success and keys.PUBLISHED in made(result)
    for asset, check in ((SOURCES["its"], "source_answered"), (keys.MERGED, "every_source_answered")):
        outcome = checks(result)[asset.to_user_string(), check]
        assert not outcome.passed and outcome.severity == dg.AssetCheckSeverity.WARN
        assert "ITS" in outcome.description
    assert metadata(result, SOURCES["its"])["state"] == "failed"
    assert metadata(result, keys.MERGED)["sources"]["its"].startswith("failed")


def test_when_every_source_fails_the_run_fails_and_nothing_is_published(dataset: Platform) -> None:
    its_is_down(dataset)
    configure(dataset, dataset.folder / "nowhere.git")
    result = build(dataset)
    assert not result.success
    assert keys.MERGED not in made(result)
    [failed] = [e for e in result.all_events if e.is_step_failure]
    assert "no source has rows" in str(failed.event_specific_data.error)
    assert hub(dataset).head("main") is None


def test_who_opts_out_is_not_in_a_past_week_that_is_rebuilt(dataset: Platform, repository: Path) -> None:
    build(dataset, newest(1))
    configure(dataset, repository)
    file = dataset.folder / "dataset.yaml"
    file.write_text(file.read_text().replace("github:\n", f"github:\n  opted_out: ['{repository}']\n"))
    result = build(dataset, newest(1))
    assert metadata(result, SOURCES["github"])["state"] == "kept"
    assert metadata(result, keys.MERGED)["dagster/row_count"] == 0
    assert keys.PUBLISHED not in made(result)


def test_a_source_that_is_switched_off_is_out_of_the_week(dataset: Platform) -> None:
    build(dataset)
    configure(dataset)
    result = build(dataset)
    assert metadata(result, SOURCES["github"])["state"] == "off"
    assert not result.success and keys.MERGED not in made(result)


def test_a_fault_of_a_source_itself_does_not_stop_the_others(
    dataset: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_stack_assets.domain.dataset.sources import its

    its_is_down(dataset)
    monkeypatch.setattr(its, "look_its", lambda *_: 1 / 0)
    result = build(dataset)
    assert result.success
    assert (
        "ZeroDivisionError" in checks(result)[SOURCES["its"].to_user_string(), "source_answered"].description
    )


@pytest.mark.slow
def test_ray_finds_the_same_duplicates(dataset: Platform, repository: Path) -> None:
    commit(
        repository, Почти=method("ЦенаПочти", 11).replace("скидкой.", "скидкой!") + method("ЦенаПочти2", 11)
    )
    here = build(dataset)
    kept = (
        dataset.resources()["lake"]
        .open("dataset/deduplicated")
        .require(newest())
        .table("records")["id"]
        .to_pylist()
    )
    configure(dataset, repository, more="dedupe: {engine: ray, threshold: 0.81}\n")
    on_ray = build(dataset)
    assert here.success and on_ray.success and metadata(on_ray, keys.DEDUPLICATED)["is_new"]
    lake = dataset.resources()["lake"].open("dataset/deduplicated")
    assert lake.require(newest()).table("records")["id"].to_pylist() == kept


def test_an_unchanged_week_is_not_made_again(dataset: Platform) -> None:
    first, second = build(dataset), build(dataset)
    assert metadata(second, SOURCES["github"])["state"] == "unchanged"
    for key in (
        keys.MERGED,
        keys.DEDUPLICATED,
        keys.FILTERED,
        keys.SPLITS,
        keys.JSONL,
        keys.PARQUET,
        keys.PUBLISHED,
    ):
        assert (metadata(first, key)["is_new"], metadata(second, key)["is_new"]) == (True, False)
    assert metadata(second, keys.PUBLISHED)["revision"] == metadata(first, keys.PUBLISHED)["revision"]


def test_a_past_week_is_rebuilt_from_its_snapshot_and_published_beside_the_newest(
    dataset: Platform, repository: Path
) -> None:
    past = build(dataset, newest(1))
    commit(repository, Новый=method("НоваяЦена", 77))
    now = build(dataset)
    assert metadata(now, keys.MERGED)["dagster/row_count"] == 49
    configure(dataset, repository, more="quality: {filters: {fewest_tokens: 13}}\n")
    again = build(dataset, newest(1))
    assert metadata(again, SOURCES["github"])["state"] == "kept"
    assert metadata(again, keys.MERGED)["dagster/row_count"] == 48
    assert metadata(again, keys.FILTERED)["is_new"]
    assert hub(dataset).head("main").commit == metadata(now, keys.PUBLISHED)["revision"]
    assert metadata(past, keys.PUBLISHED)["tag"] in hub(dataset).tags()
    assert metadata(build(dataset, newest(1), read_again=True), keys.MERGED)["dagster/row_count"] == 49


def test_a_record_keeps_its_split_from_week_to_week(dataset: Platform, repository: Path) -> None:
    build(dataset, newest(1))
    commit(repository, **{f"Новый{n}": method(f"НоваяЦена{n}", 100 + n) for n in range(6)})
    build(dataset)
    lake = dataset.resources()["lake"].open("dataset/splits")
    before, now = ({s: set(v.table(s)["content_hash"].to_pylist()) for s in ("train", "validation", "test")}
                   for v in (lake.require(newest(1)), lake.require(newest())))  # fmt: skip
    assert all(before[split] <= now[split] for split in before)


def test_low_quality_is_not_published(dataset: Platform, repository: Path) -> None:
    first = build(dataset, newest(1))
    configure(dataset, repository, more="quality: {least_mean_score: 0.999}\n")
    result = build(dataset)
    assert not result.success
    assert not checks(result)["dataset/bsl/filtered", "mean_quality_exceeds_threshold"].passed
    assert keys.PUBLISHED not in made(result)
    assert hub(dataset).head("main").commit == metadata(first, keys.PUBLISHED)["revision"]


def test_publishing_alone_refuses_low_quality_too(dataset: Platform, repository: Path) -> None:
    build(dataset)
    configure(dataset, repository, more="quality: {least_mean_score: 0.999}\n")
    result = dataset.run([keys.PUBLISHED], newest())
    assert not result.success and keys.PUBLISHED not in made(result)


def test_nothing_that_may_be_published_is_said_so(dataset: Platform, repository: Path) -> None:
    configure(dataset, repository, more="")
    text = (dataset.folder / "dataset.yaml").read_text().replace(": MIT", ": GPL-3.0-only")
    (dataset.folder / "dataset.yaml").write_text(text)
    result = build(dataset)
    assert keys.PARQUET in made(result) and keys.PUBLISHED not in made(result)
    [failed] = [e for e in result.all_events if e.is_step_failure]
    assert "no row that may be published" in str(failed.event_specific_data.error)


def test_a_wrong_setting_is_named(dataset: Platform, repository: Path) -> None:
    configure(dataset, repository, more="dedup: {threshold: 0.7}\n")
    result = build(dataset)
    [failed, *_] = [e for e in result.all_events if e.is_step_failure]
    assert "'dedup', did you mean 'dedupe'" in str(failed.event_specific_data.error)


def test_a_week_is_published_to_a_hub(dataset: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    with hub_double.hub() as double:
        dataset.replaced["hub"] = HubResource(
            data=str(dataset.data), token=hub_double.TOKEN, endpoint=double.url
        )
        result = build(dataset)
        assert result.success and all(check.passed for check in checks(result).values())
        assert double.repositories["team/bsl"].tags == {
            newest(): metadata(result, keys.PUBLISHED)["revision"]
        }


def test_methods_of_postgres_are_a_source_and_stay_inside_unless_said(platform: Platform) -> None:
    platform.run(dg.AssetSelection.groups(keys.EXTRACTION) | dg.AssetSelection.assets(keys.POSTGRES_TABLES))
    (platform.folder / "dataset.yaml").write_text(
        "postgres: {rights: {demo: {licence: MIT, is_publishable: true}}}\n"
    )
    result = platform.run(STAGE, newest())
    assert result.success
    assert metadata(result, SOURCES["postgres"])["dagster/row_count"] == platform.version().rows("methods")
    (platform.folder / "dataset.yaml").write_text("")
    assert not platform.run(STAGE, newest()).success


def test_a_failed_run_sends_an_alert_with_its_reason(dataset: Platform, repository: Path) -> None:
    sent: list[str] = []

    class Alerts:
        def send(self, text: str) -> bool:
            sent.append(text)
            return True

    configure(dataset, repository, more="quality: {least_mean_score: 0.999}\n")
    result = build(dataset)
    failure = result.get_run_failure_event()
    with dg.build_run_status_sensor_context(
        "alerts", failure, dataset.instance, result.dagster_run
    ).for_run_failure() as context:
        run_failed(context, alerts=Alerts())
    [text] = sent
    assert newest() in text and "mean_quality_exceeds_threshold" in text
