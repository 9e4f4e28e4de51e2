"""A Neo4j that is not there, or not usable. A real one: `integration/test_neo4j_graph.py`."""

from __future__ import annotations

import socket

import pytest
from neo4j.exceptions import Neo4jError

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.graph import open_graph, schema
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.stores.graph.server import Neo4jGraph


def test_an_address_selects_the_server_and_none_the_embedded_engine(tmp_path):
    assert isinstance(open_graph(tmp_path, uri="bolt://127.0.0.1:7687", password="p"), Neo4jGraph)
    assert open_graph(tmp_path) == EmbeddedGraph(tmp_path)


def test_an_unreachable_server_is_transient_and_names_the_setting():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"bolt://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(TransientError, match=f"{uri} .NEO4J_URI."), Neo4jGraph(uri).open("c"):
            pass


@pytest.mark.parametrize("uri", ["http://127.0.0.1:7474", "localhost", "bolt+wrong://127.0.0.1"])
def test_an_address_of_another_sort_is_permanent_and_names_the_setting(uri):
    with pytest.raises(PermanentError, match="NEO4J_URI"), Neo4jGraph(uri).reader("c"):
        pass


def test_the_password_is_not_shown():
    assert "secret" not in repr(Neo4jGraph("bolt://h", password="secret"))


def test_a_failure_of_the_callers_own_is_not_taken_for_the_servers(monkeypatch):
    graph = Neo4jGraph("bolt://127.0.0.1:1")
    with pytest.raises(OSError, match="disk"), graph._named_failures():
        raise OSError("disk")


def test_a_database_that_is_not_there_names_its_setting():
    error = Neo4jError._hydrate_neo4j(
        code="Neo.ClientError.Database.DatabaseNotFound", message="Graph not found: x"
    )
    graph = Neo4jGraph("bolt://127.0.0.1:1", database="x")
    with (
        pytest.raises(PermanentError, match="no database 'x': check NEO4J_DATABASE"),
        graph._named_failures(),
    ):
        raise error


def test_every_label_has_a_constraint_on_its_key():
    statements = "\n".join(schema.neo4j_ddl())
    for label in schema.NODE:
        assert f"FOR (n:`{label}`) REQUIRE (n.configuration, n.id) IS UNIQUE" in statements
