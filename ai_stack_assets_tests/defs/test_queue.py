"""Many configurations at once, with the real daemon: they queue, and every one has its turn."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from ai_stack_assets.defs.shared.configurations import configurations_changed
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.orchestration import keys
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets_tests import daemon
from ai_stack_assets_tests.platform import SAMPLE, location

SETTINGS = yaml.safe_load((daemon.PROJECT / "dagster.yaml").read_text())
LIMIT = SETTINGS["concurrency"]["pools"]["default_limit"]
NAMES = [f"configuration_{number}" for number in range(2 * LIMIT + 1)]


def test_every_step_that_reads_or_writes_a_configuration_is_in_a_pool():
    pools = {
        asset.op.pool
        for asset in location().resolve_asset_graph().assets_defs
        if asset.keys
        & set(
            dg.AssetSelection.groups("stores", "extraction", "training").resolve(
                location().resolve_asset_graph()
            )
        )
        and asset.is_executable
    }
    assert set(keys.POOLS) <= pools


def test_pools_have_their_limit_before_the_first_run_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "configurations.yaml"
    file.write_text(f"configurations: [{{name: demo, source: '{SAMPLE}'}}]\n")
    with (
        dg.instance_for_test(overrides={"concurrency": SETTINGS["concurrency"]}) as instance,
        dg.build_sensor_context(instance=instance) as context,
    ):
        configurations_changed(context, configurations=ConfigurationsResource(file=str(file)))
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    assert limits == dict.fromkeys(keys.POOLS, LIMIT)


@pytest.mark.slow
def test_more_configurations_than_may_run_at_once_all_end_well_and_in_order(tmp_path: Path) -> None:
    with daemon.running(tmp_path, dict.fromkeys(NAMES, SAMPLE)) as queue:
        runs = queue.wait(len(NAMES), seconds=900)
    assert {run.configuration: run.status for run in runs} == dict.fromkeys(NAMES, "SUCCESS")
    assert daemon.most_at_once(runs) <= LIMIT
    by_start = sorted(runs, key=lambda run: run.started)
    # those that are let in together may overtake each other, nobody else
    assert all(abs(by_start.index(run) - place) < LIMIT for place, run in enumerate(runs))
    lakes = {path.parent.name for path in (tmp_path / "data" / "lake" / "onec").glob("*/current")}
    assert lakes == set(NAMES)
    assert len(TABLES) == len(list((tmp_path / "data" / "lake" / "onec" / NAMES[-1] / "current").glob("*/")))
