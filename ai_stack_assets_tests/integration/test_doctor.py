"""Each thing that the doctor may say of a server, really brought about."""

from __future__ import annotations

import dataclasses
import socket

import psycopg
import pytest

from ai_stack_assets.domain.stores.doctor import Look, examine, looks_at
from ai_stack_assets.domain.stores.graph.server import Neo4jGraph
from ai_stack_assets.domain.stores.postgres import migrate
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
from ai_stack_assets_tests import servers

STEPS = ["reachable", "version", "rights", "schema"]


def diagnosed(name, client, seconds=60.0):
    (found,) = examine([looks_at(name, lambda: client, "server", "SETTING")], seconds)
    return found


def wrong(name, client, seconds=60.0):
    """The step that is wrong and what is said of it."""
    found = diagnosed(name, client, seconds).findings[-1]
    assert not found.is_good, found
    return found.step, found.said


@pytest.fixture
def postgres(postgres_server):
    return Postgres(postgres_server.create_database("ill"))


@pytest.fixture
def graph(neo4j_server):
    return Neo4jGraph(neo4j_server.url, neo4j_server.user, neo4j_server.password)


@pytest.fixture
def search(elasticsearch_server):
    elasticsearch_server.empty()
    return Elasticsearch(elasticsearch_server.url)


@pytest.mark.parametrize("name", ["postgres", "graph", "search"])
def test_a_healthy_server_passes_before_and_after_its_first_use(name, request):
    client = request.getfixturevalue(name)
    before = diagnosed(name, client)
    assert before.is_healthy, before.problem
    assert [finding.step for finding in before.findings] == STEPS
    with client.open("doctor"):
        pass
    assert diagnosed(name, client).is_healthy
    client.drop("doctor")


@pytest.mark.parametrize("name", ["postgres", "graph", "search"])
def test_a_look_leaves_nothing_behind(name, request):
    client = request.getfixturevalue(name)

    def held():
        if name == "postgres":
            with client.connect() as connection:
                return connection.execute("SELECT count(*) FROM pg_class").fetchone()
        if name == "graph":
            with client._session() as session:
                nodes = session.run("MATCH (n) RETURN count(n) AS nodes").single()["nodes"]
                return nodes, session.run("SHOW INDEXES YIELD name RETURN count(*) AS n").single()["n"]
        with client.connected() as connection:
            return sorted(connection.indices.get(index="*"))

    before = held()
    assert diagnosed(name, client).is_healthy
    assert held() == before


def test_nobody_at_the_port_names_the_setting(postgres, graph, search):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{closed.getsockname()[1]}"
        assert wrong("postgres", Postgres(f"postgresql://u@{place}/d"))[0] == "reachable"
        for name, client, setting in (
            ("graph", Neo4jGraph(f"bolt://{place}"), "NEO4J_URI"),
            ("search", Elasticsearch(f"http://{place}", retries=0), "ELASTICSEARCH_URL"),
        ):
            step, said = wrong(name, client)
            assert step == "reachable" and setting in said and place in said


def test_a_wrong_password_names_the_setting(postgres_server, graph):
    step, said = wrong("postgres", Postgres(postgres_server.url_of("postgres", password="wrong")))
    assert step == "reachable" and "password authentication failed" in said and "POSTGRES_URL" in said
    step, said = wrong("graph", dataclasses.replace(graph, password="wrong"))
    assert step == "reachable" and "NEO4J_PASSWORD" in said


@pytest.fixture
def nobody(postgres_server, postgres):
    """A role that may do nothing but connect, and its address."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
        yield postgres_server.url_of("ill", "reader", "reader")
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_a_user_without_rights_is_told_what_to_grant(nobody, postgres):
    step, said = wrong("postgres", Postgres(nobody))
    assert step == "rights" and "GRANT CREATE, TEMPORARY ON DATABASE ill TO reader" in said
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("GRANT CREATE, TEMPORARY ON DATABASE ill TO reader")
    assert diagnosed("postgres", Postgres(nobody)).is_healthy


def test_tables_of_another_owner_are_named(nobody, postgres):
    with postgres.connected() as connection:
        connection.execute("GRANT ALL ON SCHEMA onec TO reader")
    step, said = wrong("postgres", Postgres(nobody))
    assert step == "rights" and "belongs to another user" in said


def test_a_server_that_only_reads_is_told_from_one_that_writes(postgres):
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE ill SET default_transaction_read_only = on")
    step, said = wrong("postgres", postgres)
    assert step == "rights" and "read-only" in said and "POSTGRES_URL" in said


@pytest.mark.parametrize(("version", "said"), [("0000", "knows up to"), (None, "")])
def test_a_schema_of_another_release_is_told(postgres, version, said):
    with postgres.connected() as connection:
        if version:
            connection.execute("UPDATE onec.schema_version SET version_num = %s", [version])
            assert said in wrong("postgres", postgres)[1]
        else:
            assert diagnosed("postgres", postgres).findings[-1].said == f"version {migrate.HEAD}"


def test_an_older_schema_is_told_with_what_upgrades_it(postgres, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(migrate, "HEAD", "0001")
        with postgres.connected():
            pass
    step, said = wrong("postgres", postgres)
    assert step == "schema" and "0001" in said and "the next run upgrades it" in said


def test_a_missing_index_of_neo4j_is_named(graph):
    with graph.open("doctor"), graph._session() as session:
        session.run("DROP INDEX method_name").consume()
    step, said = wrong("graph", graph)
    assert step == "schema" and "method_name" in said and "NEO4J_URI" in said
    with graph.open("doctor"):
        pass
    assert diagnosed("graph", graph).is_healthy


@pytest.mark.slow
def test_a_neo4j_that_only_reads_is_named():
    with servers.neo4j() as server:
        server.kill()
        with server.configuration.open("a") as file:
            file.write("server.databases.read_only=neo4j\n")
        server.start()
        step, said = wrong("graph", Neo4jGraph(server.url, server.user, server.password))
    assert step == "rights" and "NEO4J_URI" in said and "read" in said


def test_an_index_of_another_mapping_is_named(search, monkeypatch):
    with search.open("doctor") as store, store.transaction():
        pass
    assert diagnosed("search", search).is_healthy
    monkeypatch.setattr(docs, "MAPPING", "0123abcd")
    step, said = wrong("search", search)
    assert step == "schema" and "the next run builds it anew" in said
    search.drop("doctor")


def test_an_index_that_a_full_disk_closed_is_named(search):
    with search.open("doctor") as store, store.transaction():
        pass
    with search.connected() as connection:
        connection.indices.put_settings(
            index="onec-*", settings={"index.blocks.read_only_allow_delete": True}
        )
        step, said = wrong("search", search)
        connection.indices.put_settings(
            index="onec-*", settings={"index.blocks.read_only_allow_delete": None}
        )
    assert step == "schema" and "closed for writing" in said and "ELASTICSEARCH_URL" in said
    search.drop("doctor")


def test_one_that_hangs_is_given_up_and_the_others_are_told_all_the_same(search):
    with servers.postgres() as paused:
        client = Postgres(paused.url)
        paused.pause()
        looks = [
            looks_at("postgres", lambda: client, "server", "POSTGRES_URL"),
            looks_at("search", lambda: search, "server", "ELASTICSEARCH_URL"),
            Look("dead", "NOTHING", lambda: 1 / 0),
        ]
        hanging, healthy, dead = examine(looks, seconds=3)
    assert hanging.findings[-1].said == "no answer within 3 s: check POSTGRES_URL"
    assert healthy.is_healthy, healthy.problem
    assert "ZeroDivisionError" in dead.problem and "NOTHING" in dead.problem
