"""`StoreSync`: a store is a YAML document; what it makes has the same shape for every engine."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from ai_stack_assets.components import StoreSync
from ai_stack_assets.orchestration.checks import HEALTH, PARITY
from ai_stack_assets_tests.platform import PROJECT

FILES = sorted((PROJECT / "ai_stack_assets" / "defs" / "stores").glob("*/defs.yaml"))


def component(file: Path) -> StoreSync:
    return StoreSync(**yaml.safe_load(file.read_text())["attributes"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_document_makes_one_asset_and_its_checks(file: Path) -> None:
    store = component(file)
    made = store.asset()
    key = dg.AssetKey.from_user_string(store.asset_key)
    assert made.keys == {key}
    assert set(made.check_keys) == {dg.AssetCheckKey(key, PARITY), dg.AssetCheckKey(key, HEALTH)}
    assert made.required_resource_keys - {"io_manager"} == {"lake", "configurations", store.resource}
    assert {dep.asset_key.to_user_string() for dep in made.specs_by_key[key].deps} == set(store.deps)
    assert dg.AssetKey(["lake", "onec", "objects"]).to_user_string() in store.deps


def test_there_is_one_document_for_each_of_the_four_stores() -> None:
    assert [file.parent.name for file in FILES] == ["elasticsearch", "neo4j", "postgres", "qdrant"]
