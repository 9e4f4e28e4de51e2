"""Resources: embedded by default, a server by its setting; a server that is missing is named with its setting."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.definitions import defs
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.shared.resources import resources as bound
from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.stores import (
    GraphResource,
    PostgresResource,
    SearchResource,
    StoreResource,
    VectorResource,
)
from ai_stack_assets.resources.vectorisers import VectorisersResource

NOBODY = "127.0.0.1:9"
SERVERS = {
    "POSTGRES_URL": ("postgres", f"postgresql://u:secret@{NOBODY}/d"),
    "NEO4J_URI": ("graph", f"bolt://{NOBODY}"),
    "QDRANT_URL": ("vectors", f"http://{NOBODY}"),
    "ELASTICSEARCH_URL": ("search", f"http://{NOBODY}"),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AI_STACK_ASSETS_DATA", str(tmp_path / "data"))
    for name in SERVERS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"


def test_without_settings_every_store_is_embedded_under_the_data_folder(data: Path) -> None:
    for resource in (GraphResource, SearchResource):
        assert resource(data=str(data)).open().configurations() == []
    vectors = VectorResource(data=str(data), vectorisers=VectorisersResource(data=str(data)))
    assert vectors.open().configurations() == []
    assert PostgresResource(data=str(data)).open().configurations() == []
    assert (data / "stores" / "postgres").is_dir()


@pytest.mark.parametrize("name", SERVERS)
def test_a_setting_chooses_the_server_and_its_value_is_not_shown(
    name: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, url = SERVERS[name]
    monkeypatch.setenv(name, url)
    found = bound().resources[resource]
    assert name in str(found.model_dump())
    assert url not in str(found.model_dump())


@pytest.mark.parametrize("name", SERVERS)
def test_a_missing_server_names_itself_and_the_setting(
    name: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, url = SERVERS[name]
    monkeypatch.setenv(name, url)
    monkeypatch.setattr("ai_stack_assets.domain.vectorisers.catalogue.Vectorisers.current", FakeVectoriser)
    with (
        dg.build_resources(dict(bound().resources)) as built,
        pytest.raises((TransientError, PermanentError), match=name) as said,
        getattr(built, resource).open().open("demo"),
    ):
        pass
    assert NOBODY in str(said.value)
    assert "secret" not in str(said.value)


@pytest.mark.parametrize("resource", [PostgresResource, GraphResource, VectorResource, SearchResource])
def test_all_settings_of_a_store_are_named_when_it_hangs(resource: type[StoreResource]) -> None:
    described = [field.description or "" for name, field in resource.model_fields.items() if name != "data"]
    own = {word for text in described for word in re.findall(r"\b[A-Z0-9]+_[A-Z_]+\b", text)}
    assert own == set(resource.settings.split(", "))


class FakeVectoriser:
    name, version, size = "fake", "1", 4

    def __init__(self, *_: object) -> None: ...


def test_an_unknown_vectoriser_names_its_setting(data: Path) -> None:
    with pytest.raises(PermanentError, match="VECTORISER=gpt"):
        VectorisersResource(data=str(data), name="gpt").open()


def test_a_list_that_changes_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "configurations.yaml"
    listed = ConfigurationsResource(file=str(file))
    assert (listed.digest(), listed.entries()) == ("", {})
    file.write_text("configurations: [{name: a, source: x}]")
    before = listed.digest()
    file.write_text("configurations: [{name: b, source: x}]")
    assert listed.digest() != before
    assert list(listed.entries()) == ["b"]
    with pytest.raises(PermanentError, match="'a' is not in"):
        listed.entry("a")


def test_a_data_folder_has_an_instance_of_its_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = settings.enter_instance()
    assert home == data / "dagster"
    assert (home / "dagster.yaml").read_text() == (settings.PROJECT / "dagster.yaml").read_text()


def test_every_resource_that_an_asset_needs_is_bound() -> None:
    needed = {key for assets in defs().assets for key in assets.required_resource_keys}
    assert needed - {"io_manager"} <= set(defs().resources)
