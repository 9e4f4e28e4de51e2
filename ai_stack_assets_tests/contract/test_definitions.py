"""Rules that every definition keeps, those of stages to come included. No particular asset is named here."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.definitions import defs
from ai_stack_assets.orchestration.partitions import CONFIGURATION

PACKAGE = Path(__file__).parents[2] / "ai_stack_assets"
STAGES = {p.name for p in (PACKAGE / "defs").iterdir() if p.is_dir()} - {"shared", "__pycache__"}
DEFS = defs()
GRAPH = DEFS.resolve_asset_graph()
NODES = [GRAPH.get(key) for key in sorted(GRAPH.get_all_asset_keys())]
MADE = [node for node in NODES if node.is_materializable]


def name_of(node: object) -> str:
    return node.key.to_user_string()


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_an_asset_has_three_part_key_owner_kinds_description_and_the_group_of_its_stage(node) -> None:
    assert len(node.key.path) == 3
    assert node.owners and all(owner.startswith("team:") for owner in node.owners)
    assert 1 <= len(node.kinds) <= 3
    assert (node.description or "").split("\n")[0].startswith("One ")
    assert node.group_name in STAGES


@pytest.mark.parametrize("node", MADE, ids=name_of)
def test_a_made_asset_has_a_code_version_and_a_partition_per_configuration_or_time(node) -> None:
    assert node.code_version
    partitions = node.partitions_def
    if isinstance(partitions, dg.MultiPartitionsDefinition):
        partitions = partitions.get_partitions_def_for_dimension(CONFIGURATION)
    assert isinstance(partitions, dg.DynamicPartitionsDefinition | dg.TimeWindowPartitionsDefinition)


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_whatever_an_asset_depends_on_is_defined(node) -> None:
    assert {key for key in node.parent_keys if not is_defined(key)} == set()


@pytest.mark.parametrize("check", sorted(GRAPH.asset_check_keys), ids=str)
def test_a_check_stands_on_a_defined_asset_and_says_what_holds(check) -> None:
    assert is_defined(check.asset_key)
    assert GRAPH.get(check).description


@pytest.mark.parametrize("job", DEFS.resolve_all_job_defs(), ids=lambda job: job.name)
def test_a_job_selects_something(job) -> None:
    assert job.nodes


def test_schedules_have_a_time_zone_and_wait_to_be_switched_on() -> None:
    schedules = DEFS.get_repository_def().schedule_defs
    assert schedules
    for schedule in schedules:
        assert schedule.execution_timezone
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def is_defined(key: dg.AssetKey) -> bool:
    """A misspelt key gets a stub node, which no file defines."""
    return any(key in assets.keys for assets in DEFS.resolve_asset_graph().assets_defs if not is_stub(assets))


def is_stub(assets: dg.AssetsDefinition) -> bool:
    return all("dagster/auto_created_stub_asset" in spec.metadata for spec in assets.specs)
