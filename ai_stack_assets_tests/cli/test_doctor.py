"""`doctor` from the command line: what it says, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.cli.main import main
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores import places
from ai_stack_assets.domain.stores.doctor import examine, looks_at
from ai_stack_assets.domain.stores.graph import embedded_seal
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers, VectoriserSettings

SERVERS = ("POSTGRES_URL", "NEO4J_URI", "QDRANT_URL", "ELASTICSEARCH_URL")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AI_STACK_ASSETS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    for name in SERVERS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"


def test_a_new_data_folder_is_well(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    said = capfd.readouterr().out
    assert "All is well." in said and "WRONG" not in said
    assert all(f"{name} (embedded)" in said for name in ("postgres", "graph", "vectors", "search"))


def test_what_is_wrong_is_said_with_its_setting_and_all_others_are_tried(
    data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTGRES_URL", "postgresql://me:secret@127.0.0.1:9/d")
    monkeypatch.setenv("QDRANT_URL", "http://127.0.0.1:9")
    assert main(["doctor"]) == 1
    said = capfd.readouterr().out
    assert "Wrong: postgres (server), vectors (server)" in said
    assert "POSTGRES_URL" in said and "QDRANT_URL" in said and "secret" not in said
    assert "indexes of 0 configurations open" in said


def test_an_embedded_file_that_does_not_open_is_named(tmp_path: Path) -> None:
    graph = EmbeddedGraph(tmp_path)
    file = graph.file("demo")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a graph" * 1000)
    (found,) = examine([looks_at("graph", lambda: graph, "embedded", "AI_STACK_ASSETS_DATA")])
    assert found.findings[-1].step == "schema" and str(file) in found.problem


def test_a_look_does_not_read_the_graph_files_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = EmbeddedGraph(tmp_path)
    with graph.open("demo") as store, store.transaction():
        pass
    assert graph.file("demo").exists()
    monkeypatch.setattr(embedded_seal, "_checksum", None)
    (found,) = examine([looks_at("graph", lambda: graph, "embedded", "AI_STACK_ASSETS_DATA")])
    assert found.findings[-1].said == "files of 1 configurations open"


def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="AI_STACK_ASSETS_DATA"):
        list(places.look_at_folder(tmp_path / "file" / "data"))


def test_too_little_room_is_told_in_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LEAST_FREE_BYTES", 1 << 60)
    looks = places.look_at_folder(tmp_path)
    assert [step for step, _ in (next(looks), next(looks))] == ["writable", "file system"]
    with pytest.raises(PermanentError, match=r"MB are free.*AI_STACK_ASSETS_DATA"):
        next(looks)


def test_a_look_at_a_folder_leaves_it_as_it_was(tmp_path: Path) -> None:
    assert len(list(places.look_at_folder(tmp_path))) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_vectoriser_that_is_not_fitted_is_really_asked(tmp_path: Path) -> None:
    settings = VectoriserSettings(name="openai", model="", api_key="x")
    with pytest.raises(PermanentError, match="VECTORISER_MODEL"):
        list(places.look_at_vectoriser(lambda: Vectorisers(tmp_path, settings)))
    ((_, said),) = places.look_at_vectoriser(lambda: Vectorisers(tmp_path))
    assert "lsa" in said
