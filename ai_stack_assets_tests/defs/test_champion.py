"""Another champion of the embeddings makes the vectors of every configuration anew, by itself; nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from ai_stack_assets.defs.extraction.vectoriser import vectoriser_asset
from ai_stack_assets.defs.shared.automation import vectors
from ai_stack_assets.defs.training.champion import champion_moved
from ai_stack_assets.domain.training.embeddings import task
from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower
from ai_stack_assets.domain.training.registry import loading
from ai_stack_assets.domain.training.registry.packaging import Fit
from ai_stack_assets.domain.training.registry.registry import Registry
from ai_stack_assets.domain.vectorisers.two_tower import TwoTowerVectoriser
from ai_stack_assets.orchestration import champion, keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION
from ai_stack_assets_tests.domain.training.embeddings.corpus import TUNED, sets
from ai_stack_assets_tests.platform import LAKE, SAMPLE, Platform, location, metadata

CONFIGURATIONS = ("demo", "trade")
VECTORS = [keys.VECTORISER, keys.QDRANT_POINTS, keys.QDRANT_SIMILAR]
AGAIN = {(key, name) for key in VECTORS for name in CONFIGURATIONS}
Requested = set[tuple[dg.AssetKey, str]]


@pytest.fixture(scope="module")
def models() -> list[TwoTower]:
    """Two champions, the second one fitted later."""
    return [task.fit(sets(), {**TUNED, "steps": 20}, seed=n, progress=lambda _: None) for n in (1, 2)]


@pytest.fixture
def loaded(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Two configurations with vectors that LSA made, as long as nobody has trained anything."""
    monkeypatch.setattr(loading, "verify", lambda _: None)
    platform.configure(demo=SAMPLE, trade=SAMPLE)
    requested(platform)
    for name in CONFIGURATIONS:
        assert platform.run([*LAKE, *VECTORS], name).success
    assert requested(platform) == set()
    yield platform


def requested(platform: Platform, *others: dg.AssetsDefinition) -> Requested:
    """Of the vectors' assets, what one tick of the automation asks for. `others` take the place of assets with their keys."""
    keys_of_others = {key for other in others for key in other.keys}
    assets = [each for each in location().assets if not getattr(each, "keys", set()) & keys_of_others]
    definitions = dg.Definitions([*assets, *others], resources=platform.resources())
    result = dg.evaluate_automation_conditions(
        definitions,
        platform.instance,
        cursor=platform.cursor,
        asset_selection=dg.AssetSelection.assets(*VECTORS),
    )
    platform.cursor = result.cursor
    return {
        (each.key, name)
        for each in result.results
        for name in each.true_subset.expensively_compute_partition_keys()
    }


def look(platform: Platform) -> bool:
    """A tick of the sensor. Whether it saw another champion, which then is observed."""
    resources = {"mlflow": platform.resources()["mlflow"]}
    with dg.build_sensor_context(instance=platform.instance, resources=resources) as context:
        found = champion_moved(context)
    if isinstance(found, dg.SkipReason):
        return False
    for event in found.asset_events:
        platform.instance.report_runless_asset_event(event)
    return True


def promote(platform: Platform, model: TwoTower) -> Registry:
    registry = platform.resources()["mlflow"].open()
    files = platform.folder / TwoTowerVectoriser(model).version
    files.mkdir()
    model.save(files)
    run = registry.log(Fit(task, files, sets().test.slice(0, 3), {"dataset": "2026-11-15/abc"}))
    registry.promote(task, registry.register(task, run).version)
    return registry


def vectorise(platform: Platform, model: TwoTower) -> None:
    """What the automation asks for, done; the vectors are then those of the model, and can be searched."""
    for name in CONFIGURATIONS:
        result = platform.run(VECTORS, name)
        assert result.success
        assert metadata(result, keys.VECTORISER)["model"] == f"two-tower {TwoTowerVectoriser(model).version}"
        written = metadata(result, keys.QDRANT_POINTS)
        assert written["changed"] + written["added"] > 0
        assert platform.resources()["vectors"].open().similar(name, text="раздел указанного права", limit=1)


def test_a_champion_and_the_next_and_a_rollback_are_each_a_reason_to_make_all_vectors_anew(
    loaded: Platform, models: list[TwoTower]
) -> None:
    promote(loaded, models[0])
    assert look(loaded) and requested(loaded) == AGAIN
    vectorise(loaded, models[0])
    assert not look(loaded) and requested(loaded) == set()
    registry = promote(loaded, models[1])
    assert look(loaded) and requested(loaded) == AGAIN
    vectorise(loaded, models[1])
    assert not look(loaded) and requested(loaded) == set()
    registry.rollback(task)
    assert look(loaded) and requested(loaded) == AGAIN
    vectorise(loaded, models[0])
    assert not look(loaded) and requested(loaded) == set()


def test_a_champion_that_comes_before_the_tick_after_the_last_vectors_is_not_missed(
    loaded: Platform, models: list[TwoTower]
) -> None:
    promote(loaded, models[0])
    assert look(loaded) and requested(loaded) == AGAIN
    vectorise(loaded, models[0])
    loaded.instance.report_runless_asset_event(champion.observed(None))
    again = requested(loaded)
    assert again >= {(keys.VECTORISER, name) for name in CONFIGURATIONS}
    for name in CONFIGURATIONS:
        assert loaded.run([key for key in VECTORS if (key, name) in again], name).success
    # the vectors follow at the latest when their vectoriser is there
    assert again | requested(loaded) >= {(keys.QDRANT_POINTS, name) for name in CONFIGURATIONS}


def test_whoever_moves_the_alias_may_say_so_at_once_and_twice(
    loaded: Platform, models: list[TwoTower]
) -> None:
    registry = promote(loaded, models[0])
    for asked in (AGAIN, set()):
        loaded.instance.report_runless_asset_event(champion.observed(registry.champion(task)))
        assert requested(loaded) == asked
    assert not look(loaded)


def test_who_asks_for_another_vectoriser_has_nothing_made_anew(
    loaded: Platform, models: list[TwoTower], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VECTORISER", "lsa")
    fixed = vectoriser_asset()
    assert requested(loaded, fixed) == set()
    promote(loaded, models[0])
    assert look(loaded) and requested(loaded, fixed) == set()


def test_a_configuration_is_loaded_while_nobody_has_trained_anything(platform: Platform) -> None:
    requested(platform)
    assert platform.run(LAKE).success
    assert requested(platform) == {(key, "demo") for key in VECTORS}
    assert not look(platform)


def test_the_asset_can_be_observed_by_hand_and_says_nothing_while_there_is_none(
    platform: Platform, models: list[TwoTower], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "verify", lambda _: None)
    job = dg.define_asset_job("observed", dg.AssetSelection.assets(keys.CHAMPION))

    def observe() -> str:
        definitions = dg.Definitions(location().assets, resources=platform.resources(), jobs=[job])
        result = definitions.resolve_job_def("observed").execute_in_process(instance=platform.instance)
        assert result.success
        return champion.last_observed(platform.instance)

    assert observe() == champion.NONE
    assert not platform.instance.fetch_observations(keys.CHAMPION, limit=1).records
    registry = promote(platform, models[0])
    in_use = registry.champion(task)
    assert in_use and observe() == f"1-{in_use.run_id}" and not look(platform)


def test_the_lineage_leads_from_the_dataset_over_the_model_to_the_vectors() -> None:
    graph = location().resolve_asset_graph()
    above, waiting = set(), [keys.QDRANT_POINTS]
    while waiting:
        new = graph.get(waiting.pop()).parent_keys - above
        above |= new
        waiting += new
    way = (keys.SPLITS, keys.EXAMPLES["embeddings"], keys.MODELS["embeddings"], keys.REGISTERED["embeddings"])
    assert {*way, keys.CHAMPION, keys.VECTORISER} <= above
    # what is only observed is never asked about before a first load
    assert not graph.get(keys.CHAMPION).is_materializable


def test_vectors_follow_without_being_switched_on() -> None:
    assert vectors.default_status == champion_moved.default_status == dg.DefaultSensorStatus.RUNNING
    assert set(VECTORS) == vectors.asset_selection.resolve(location().resolve_asset_graph())
    assert location().resolve_asset_graph().get(keys.VECTORISER).partitions_def.name == CONFIGURATION
