"""TLS, passwords and keys, by settings: each server really encrypts, and says no to who does not belong.

PostgreSQL and Neo4j encrypt by themselves; before the core Elasticsearch, which has no security, stands the gateway.
"""

from __future__ import annotations

import dataclasses

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.graph.server import Neo4jGraph
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
from ai_stack_assets_tests import servers


@pytest.fixture(scope="module")
def postgres():
    with servers.postgres(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def neo4j():
    with servers.neo4j(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def elasticsearch():
    with servers.elasticsearch(tls=True) as server:
        yield server


def test_postgres_is_reached_by_its_certificate_alone(postgres):
    opened = Postgres(postgres.url)
    with opened.connected() as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (
            True,
        )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sslrootcert=", "sslrootcert=/dev/null#", "certificate"),
        ("127.0.0.1", "localhost.localdomain", "POSTGRES_URL"),
        ("verify-full", "verify-full&sslmode=wrong", "invalid sslmode"),
    ],
)
def test_what_is_wrong_with_the_encryption_of_postgres_names_the_setting(postgres, old, new, said):
    with (
        pytest.raises((PermanentError, TransientError), match=said) as error,
        Postgres(postgres.url.replace(old, new)).connected(),
    ):
        pass
    assert "POSTGRES_URL" in str(error.value)


@pytest.fixture
def graph(neo4j):
    return Neo4jGraph(neo4j.url, neo4j.user, neo4j.password, ca=str(neo4j.ca))


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s", "neo4j", "neo4j+s"])
def test_neo4j_is_reached_by_its_certificate(graph, scheme):
    address = graph.uri.replace("bolt+s", scheme)
    assert dataclasses.replace(graph, uri=address).configurations() == []


def test_a_certificate_of_an_unknown_authority_names_the_setting_of_neo4j(graph):
    with pytest.raises(PermanentError, match="NEO4J_CA"):
        dataclasses.replace(graph, ca="").configurations()


def test_a_missing_file_of_an_authority_is_named(graph):
    with pytest.raises(PermanentError, match=r"nothing\.pem.*NEO4J_CA"):
        dataclasses.replace(graph, ca="nothing.pem").configurations()


def test_a_wrong_password_of_neo4j_is_named(graph):
    with pytest.raises(PermanentError, match="NEO4J_PASSWORD"):
        dataclasses.replace(graph, password="wrong").configurations()


def test_neo4j_without_encryption_is_told_what_is_missing(graph):
    address = graph.uri.replace("bolt+s", "bolt")
    with pytest.raises(TransientError, match="NEO4J_URI"):
        dataclasses.replace(graph, uri=address, ca="").configurations()


@pytest.fixture
def search(elasticsearch):
    account = {"user": elasticsearch.user, "password": elasticsearch.password}
    return Elasticsearch(elasticsearch.url, **account, ca=str(elasticsearch.ca))


def test_elasticsearch_is_reached_with_a_password_or_with_a_key(search, elasticsearch):
    assert search.configurations() == []
    key = dataclasses.replace(search, user="", password="", api_key=elasticsearch.api_key)
    assert key.configurations() == []


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"user": ""}, {"user": "", "api_key": "wrong"}])
def test_a_wrong_account_of_elasticsearch_names_the_settings(search, change):
    with pytest.raises(PermanentError, match=r"ELASTICSEARCH_PASSWORD.*ELASTICSEARCH_API_KEY"):
        dataclasses.replace(search, **change).configurations()


@pytest.mark.parametrize("ca", ["", "nothing.pem"])
def test_a_certificate_of_an_unknown_authority_names_the_setting_of_elasticsearch(search, ca):
    with pytest.raises(PermanentError, match="ELASTICSEARCH_"):
        dataclasses.replace(search, ca=ca).configurations()
