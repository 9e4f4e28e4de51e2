"""When things run without a person: the sensor of `configurations.yaml`, schedules, automation, dead runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.defs.shared import schedules
from ai_stack_assets.defs.shared.configurations import configurations_changed
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.abandoned import PROCESS_TAG, end_abandoned_runs, process_tag
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets_tests.platform import LAKE, Platform, asked_by, break_gates, location, mend_gates

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def tick(platform: Platform, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    resource = ConfigurationsResource(file=str(platform.file))
    with dg.build_sensor_context(instance=platform.instance, cursor=cursor) as context:
        return configurations_changed(context, configurations=resource)


def due(platform: Platform, cron: str = schedules.EVERY_6_HOURS) -> list[str]:
    resource = ConfigurationsResource(file=str(platform.file))
    answers = asked_by(schedules.schedule(cron), platform.instance, NOON, configurations=resource)
    return [answer.partition_key for answer in answers if isinstance(answer, dg.RunRequest)]


def write(platform: Platform, *lines: str) -> None:
    platform.file.write_text("\n".join(["configurations:", *(f"  - {{{line}}}" for line in lines)]))


@pytest.fixture
def stored(platform: Platform) -> Iterator[Platform]:
    """On an instance with files: a schedule opens its own connection to it."""
    (platform.folder / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(platform.folder / "instance")) as platform.instance:
        platform.instance.add_dynamic_partitions(CONFIGURATION, ["demo"])
        yield platform


# ---- the sensor


def test_the_sensor_adds_a_partition_and_asks_for_its_first_run(platform: Platform) -> None:
    write(platform, "name: demo, source: a", "name: trade, source: b")
    result = tick(platform)
    assert [request.partition_key for request in result.run_requests] == ["trade"]
    [added] = result.dynamic_partitions_requests
    assert isinstance(added, dg.AddDynamicPartitionsRequest) and added.partition_keys == ["trade"]


def test_the_sensor_skips_while_the_file_is_the_same(platform: Platform) -> None:
    skipped = tick(platform, cursor=tick(platform).cursor)
    assert isinstance(skipped, dg.SkipReason) and "not changed" in skipped.skip_message


def test_the_sensor_retires_what_is_not_listed_or_switched_off(platform: Platform) -> None:
    platform.instance.add_dynamic_partitions(CONFIGURATION, ["gone"])
    write(platform, "name: demo, source: a, enabled: false")
    [retired] = tick(platform).dynamic_partitions_requests
    assert isinstance(retired, dg.DeleteDynamicPartitionsRequest)
    assert retired.partition_keys == ["demo", "gone"]


def test_without_the_file_nothing_is_retired(platform: Platform) -> None:
    platform.file.unlink()
    assert isinstance(tick(platform), dg.SkipReason)


def test_a_wrong_file_fails_the_tick_and_names_the_line(platform: Platform) -> None:
    write(platform, "name: demo, sourc: a")
    with pytest.raises(Exception, match="line 2"):
        tick(platform)


# ---- schedules


def test_a_schedule_asks_for_a_run_of_each_configuration_that_is_due(stored: Platform) -> None:
    write(
        stored, "name: demo, source: a", "name: own, source: b, schedule: 0 3 * * *", "name: new, source: c"
    )
    stored.instance.add_dynamic_partitions(CONFIGURATION, ["own"])
    assert due(stored) == ["demo"]
    assert due(stored, "0 3 * * *") == ["own"]


def test_a_configuration_that_is_being_read_is_not_asked_for_again(stored: Platform) -> None:
    write(stored, "name: demo, source: a", "name: idle, source: b")
    stored.instance.add_dynamic_partitions(CONFIGURATION, ["idle"])
    for name, status in (("demo", dg.DagsterRunStatus.STARTED), ("idle", dg.DagsterRunStatus.FAILURE)):
        stored.instance.create_run_for_job(
            location().resolve_job_def(keys.PIPELINE), tags={PARTITION_TAG: name}, status=status
        )
    assert due(stored) == ["idle"]


@pytest.mark.parametrize("cron", ["0 3 * * mon-fri", "@daily", "*/15 0,12 1 1 *"])
def test_every_cron_makes_a_schedule_with_a_valid_name(cron: str) -> None:
    assert schedules.schedule(cron).name.isidentifier()


# ---- automation conditions


def test_automation_asks_for_the_stores_when_the_tables_are_new_unless_a_gate_failed(
    platform: Platform, source: Path
) -> None:
    assert requested(platform) == set()
    after_good, after_bad = [], []
    for change, asked in ((None, after_good), (break_gates, after_bad), (mend_gates, after_good)):
        if change:
            change(source)
        platform.run(LAKE)
        asked.append(requested(platform) & set(keys.STORE_KEYS))
    assert after_good == [set(keys.STORE_KEYS)] * 2
    assert after_bad == [set()]


def test_what_was_being_made_when_the_tick_before_looked_is_not_asked_for_yet(platform: Platform) -> None:
    requested(platform)
    platform.run(LAKE)
    assert requested(platform) >= set(keys.STORE_KEYS)
    assert not requested(platform)
    platform.run(LAKE)
    stores = frozenset([*keys.STORE_KEYS, keys.VECTORISER])
    run = platform.instance.create_run_for_job(
        location().resolve_job_def(keys.PIPELINE).get_subset(asset_selection=stores),
        asset_selection=stores,
        tags={PARTITION_TAG: "demo"},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert not requested(platform) & set(keys.STORE_KEYS)
    platform.instance.report_run_failed(run)
    assert not requested(platform) & set(keys.STORE_KEYS)
    assert requested(platform) >= set(keys.STORE_KEYS)


def requested(platform: Platform) -> set[dg.AssetKey]:
    definitions = dg.Definitions(location().assets, resources=platform.resources())
    result = dg.evaluate_automation_conditions(definitions, platform.instance, cursor=platform.cursor)
    platform.cursor = result.cursor
    return {r.key for r in result.results if result.get_num_requested(r.key)}


# ---- runs whose process is gone


def test_a_run_is_ended_when_its_process_is_gone_and_only_then(platform: Platform) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    host = process_tag().split(":")[0]
    tags = {"alive": process_tag(), "dead": f"{host}:{ended.stdout.strip()}:x", "elsewhere": "other:1:x"}
    runs = {
        name: platform.instance.create_run_for_job(
            location().resolve_job_def(keys.PIPELINE),
            tags={PROCESS_TAG: tag},
            status=dg.DagsterRunStatus.STARTED,
        )
        for name, tag in tags.items()
    }
    assert end_abandoned_runs(platform.instance) == [runs["dead"].run_id]
    assert platform.instance.get_run_by_id(runs["dead"].run_id).status == dg.DagsterRunStatus.FAILURE
    assert end_abandoned_runs(platform.instance) == []
