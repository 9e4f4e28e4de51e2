"""Weeks of the training stage stand beside each other: one that is done again, or later, leaves the others as they are."""

from __future__ import annotations

import dagster as dg

from ai_stack_assets.defs.training import examples, models, use, weeks
from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.defs.trainings import TRAINING, WEEK, train, write_dataset
from ai_stack_assets_tests.platform import Platform, location, metadata

OLDER = "2026-11-08"


def test_an_old_week_that_is_done_later_leaves_the_newest_as_it_is(training: Platform) -> None:
    assert train(training).success
    write_dataset(training, "older", rows=250, week=OLDER)
    assert training.run(TRAINING, OLDER).success
    again = training.run([keys.EXAMPLES["regressor"]], WEEK)
    assert again.success and not metadata(again, keys.EXAMPLES["regressor"])["is_new"]
    again = train(training, force=True)
    assert again.success and not metadata(again, keys.MODELS["regressor"])["is_new"]
    lake = training.resources()["lake"]
    assert lake.open("training/regressor_examples").configurations() == [OLDER, WEEK]


def test_all_assets_of_the_stage_have_the_same_partitions_pool_and_owners() -> None:
    assert models.COMMON is use.COMMON is examples.COMMON is weeks.COMMON
    graph = location().resolve_asset_graph()
    keys_made = dg.AssetSelection.groups(keys.TRAINING).resolve(graph)
    assert {graph.get(key).partitions_def for key in keys_made} == {weeks.WEEKS}
    pools = {each.op.pool for each in graph.assets_defs if each.keys & keys_made and each.is_executable}
    assert pools == {keys.TRAINING}
