"""The vector store over HTTP: what is sent, and what becomes of a server's errors."""

from __future__ import annotations

import socket

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.vectors import server
from ai_stack_assets.domain.stores.vectors.server import ServerEngine
from ai_stack_assets_tests.domain.stores.qdrant_stub import QdrantStub
from ai_stack_assets_tests.domain.stores.test_vectors import SEND, Bench, changed

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Api key is used")


@pytest.fixture
def stub():
    with QdrantStub() as stub:
        yield stub


def test_a_whole_life_by_http(stub, tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_PAGE", 3)
    monkeypatch.setattr(server, "_FLOATS_PER_REQUEST", 15)
    bench = Bench(tmp_path, ServerEngine(stub.url, "secret"))
    bench.sync(bench.write("v1"))
    version = bench.write("v2", changed())
    bench.vectorisers.ensure(version, refit=True)
    assert bench.sync(version).differences == []
    assert len(bench.ids(row_id=SEND)) == 6
    bench.sync(bench.write("v3", {SEND: "Письмо = Неопределено;"}), refit=True)
    assert bench.stores.configurations() == ["Торговля"]
    bench.stores.drop("Торговля")
    assert bench.stores.configurations() == []
    assert {key for _, _, key in stub.requests} == {"secret"}


def test_every_key_that_filters_use_is_indexed(stub, tmp_path):
    bench = Bench(tmp_path, ServerEngine(stub.url))
    bench.sync(bench.write("v1"))
    indexes = [path for verb, path, _ in stub.requests if verb == "PUT" and path.endswith("/index")]
    assert len(indexes) == 1 + len(server.INDEXED)


@pytest.mark.parametrize(
    ("status", "error", "names"),
    [
        (401, PermanentError, "QDRANT_API_KEY"),
        (403, PermanentError, "QDRANT_API_KEY"),
        (400, PermanentError, "QDRANT_API_KEY"),
        (404, PermanentError, "QDRANT_URL"),
        (429, TransientError, "QDRANT_URL"),
        (500, TransientError, "QDRANT_URL"),
        (503, TransientError, "QDRANT_URL"),
    ],
)
def test_an_answer_that_is_an_error_names_the_setting(stub, tmp_path, status, error, names):
    bench = Bench(tmp_path, ServerEngine(stub.url))
    version = bench.write("v1")
    bench.vectorisers.ensure(version)
    stub.fail = status
    with pytest.raises(error, match=names):
        bench.sync(version)


def test_a_server_that_is_not_there_is_transient_and_names_the_setting(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(TransientError, match=f"cannot be reached at {url} \\(QDRANT_URL\\)"):
        ServerEngine(url).configurations()


def test_a_server_that_breaks_in_the_middle_leaves_the_last_generation(stub, tmp_path):
    bench = Bench(tmp_path, ServerEngine(stub.url))
    bench.sync(bench.write("v1"))
    before = bench.ids()
    version = bench.write("v2", changed())
    with bench.stores.open("Торговля") as store, pytest.raises(TransientError), store.transaction():
        store.upsert(version, "objects", None)
        stub.fail = 503
        store.upsert(version, "methods", None)
    stub.fail = 0
    assert bench.ids() == before
    assert bench.sync(version).differences == []


def test_a_url_that_is_none_names_the_setting():
    with pytest.raises(PermanentError, match="QDRANT_URL"):
        ServerEngine("http://:::").configurations()
