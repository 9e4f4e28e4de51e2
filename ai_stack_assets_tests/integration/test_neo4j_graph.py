"""The graph in a real Neo4j: equal to the lake, and the same answers as the embedded engine."""

from __future__ import annotations

import dataclasses

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.graph import queries, server_rows, server_store
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.stores.graph.server import Neo4jGraph
from ai_stack_assets.domain.stores.graph.server_store import ServerStore
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores.graph_lake import (
    BALANCE,
    DAMAGES,
    GOODS,
    ON_CHANGE,
    PRICE,
    QUANTITY,
    RECOUNT,
    ROUND,
    STOCK,
    a_call,
    lake_version,
    nasty_tables,
    tables,
)

pytestmark = pytest.mark.slow
NAME = "склад"


@pytest.fixture
def graph(neo4j_server):
    opened = Neo4jGraph(neo4j_server.url, neo4j_server.user, neo4j_server.password)
    for configuration in opened.configurations():
        opened.drop(configuration)
    return opened


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def version(lake):
    return lake_version(lake, tables())


def sync(graph, version, name=NAME, **options):
    with graph.open(name) as store:
        return synchronise(store, version, **options)


def parity(graph, version, name=NAME):
    with graph.open(name) as store:
        return {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}


def by_hand(graph, statement):
    with graph._session() as session:
        return session.run(statement).data()


def written(report):
    counts = {c: (r.added, r.changed, r.removed) for c, r in report.collections.items()}
    return {c: count for c, count in counts.items() if any(count)}


def test_the_first_synchronisation_writes_everything_and_the_second_nothing(graph, version):
    report = sync(graph, version)
    assert report.differences == [] and report.total("added") == report.total("rows") > 40
    assert written(sync(graph, version)) == {}
    assert graph.configurations() == [NAME]


def test_objects_carry_their_kind_as_a_label(graph, version):
    sync(graph, version)
    assert by_hand(graph, "MATCH (n:Catalog:Object) RETURN n.id AS id") == [{"id": GOODS}]


@pytest.mark.parametrize("page", [1, 3, 5000])
def test_reading_back_does_not_depend_on_the_page(graph, version, monkeypatch, page):
    sync(graph, version)
    monkeypatch.setattr(server_rows, "PAGE_NODES", page)
    assert parity(graph, version) == {}


def test_only_the_difference_is_written(graph, lake, version):
    sync(graph, version)
    rows = tables()
    rows["methods"] = [
        m._replace(cyclomatic=7) if m.id == BALANCE else m for m in rows["methods"] if m.id != ROUND
    ]
    rows["calls"].append(a_call(RECOUNT, 3, BALANCE, 9))
    changed = lake_version(lake, rows, "v2")
    report = sync(graph, changed)
    assert report.differences == [] and parity(graph, changed) == {}
    assert {c: count for c, count in written(report).items() if c in ("Method", "CALLS")} == {
        "Method": (0, 1, 1),
        "CALLS": (0, 1, 3),
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_by_hand_is_named_and_only_that_is_repaired(graph, version, damage):
    statement, repaired = DAMAGES[damage]
    sync(graph, version)
    by_hand(graph, statement)
    assert set(parity(graph, version)) == set(repaired)
    report = sync(graph, version)
    assert written(report) == repaired and report.differences == []


SERVER_DAMAGES = {
    "a value of another type": f"MATCH (n:Method {{id: '{ROUND}'}}) SET n.start_line = 'first'",
    "a relationship between labels that are never joined": (
        f"MATCH (a:Method {{id: '{ROUND}'}}) MATCH (b:Object {{id: '{GOODS}'}}) "
        "CREATE (a)-[:CALLS {calls: 1}]->(b)"
    ),
}


@pytest.mark.parametrize("damage", SERVER_DAMAGES)
def test_damage_that_only_a_server_allows_is_repaired_too(graph, version, damage):
    sync(graph, version)
    by_hand(graph, SERVER_DAMAGES[damage])
    assert parity(graph, version) != {}
    assert sync(graph, version).differences == [] and parity(graph, version) == {}


def test_nodes_that_others_keep_in_the_same_database_are_left_alone(graph, version):
    sync(graph, version)
    by_hand(graph, f"MATCH (m:Method {{id: '{ROUND}'}}) MERGE (m)-[:CALLS]->(:Note {{text: 'проверить'}})")
    assert parity(graph, version) == {}
    graph.drop(NAME)
    found = by_hand(graph, "MATCH (n:Note) WITH n, n.text AS text DETACH DELETE n RETURN text")
    assert found == [{"text": "проверить"}]


def test_names_that_are_statements_are_only_names(graph, lake):
    rows, _ = nasty_tables()
    rows["objects"] = [
        o._replace(kind="Catalog`) DETACH DELETE (n") if o.id == STOCK else o for o in rows["objects"]
    ]
    version = lake_version(lake, rows)
    assert sync(graph, version).differences == [] and parity(graph, version) == {}
    smaller = lake_version(lake, tables(), "v2")
    assert sync(graph, smaller).differences == [] and parity(graph, smaller) == {}


def test_two_configurations_are_independent(graph, lake, version):
    rows = tables()
    rows["methods"] = rows["methods"][:2]
    other = lake_version(lake, rows, configuration="другая")
    sync(graph, version)
    sync(graph, other, "другая")
    assert graph.configurations() == ["другая", NAME]
    assert parity(graph, version) == {} and parity(graph, other, "другая") == {}
    graph.drop("другая")
    assert graph.configurations() == [NAME] and parity(graph, version) == {}
    with pytest.raises(PermanentError, match="synchronise it first"), graph.reader("другая"):
        pass


def test_a_failure_in_the_middle_leaves_the_previous_state(graph, lake, version, monkeypatch):
    sync(graph, version)
    rows = tables()
    rows["methods"] = [m._replace(cyclomatic=9) for m in rows["methods"] if m.id != ROUND]
    after = lake_version(lake, rows, "v2")
    send = ServerStore._send

    def send_and_fail(self, tx, writes, state):
        send(self, tx, writes, state)
        raise RuntimeError("stop")

    with monkeypatch.context() as patch:
        patch.setattr(ServerStore, "_send", send_and_fail)
        with pytest.raises(RuntimeError, match="stop"):
            sync(graph, after)
    assert parity(graph, version) == {}
    assert sync(graph, after).differences == []


def test_a_load_in_parts_is_hidden_from_readers_until_it_is_complete(graph, version, monkeypatch):
    send, sent = ServerStore._send, []

    def send_two(self, tx, writes, state):
        if len(sent) == 2:
            raise RuntimeError("stop")
        sent.append(state)
        send(self, tx, writes, state)

    with monkeypatch.context() as patch:
        patch.setattr(server_store, "TRANSACTION_ROWS", 10)
        patch.setattr(ServerStore, "_send", send_two)
        with pytest.raises(RuntimeError, match="stop"):
            sync(graph, version)
    assert parity(graph, version) != {}
    with pytest.raises(TransientError, match="being loaded"), graph.reader(NAME):
        pass
    assert sync(graph, version).differences == []
    with graph.reader(NAME) as reader:
        assert queries.most_called(reader, 1)[0]["id"] == ROUND


def test_a_deadlock_is_repeated(graph, version, monkeypatch):
    from neo4j.exceptions import TransientError as DeadlockError

    send, failures = ServerStore._send, [DeadlockError("deadlock"), DeadlockError("deadlock")]

    def send_later(self, tx, writes, state):
        if failures:
            raise failures.pop()
        send(self, tx, writes, state)

    monkeypatch.setattr(ServerStore, "_send", send_later)
    assert sync(graph, version).differences == [] and not failures


QUESTIONS = {
    "direct callers": lambda r: queries.callers(r, ROUND),
    "all callers": lambda r: queries.callers(r, ROUND, depth=5),
    "callees": lambda r: queries.callees(r, RECOUNT, depth=5),
    "a path": lambda r: queries.call_path(r, RECOUNT, ROUND),
    "no path": lambda r: queries.call_path(r, ROUND, RECOUNT),
    "most called": lambda r: queries.most_called(r, 3),
    "references to an object": lambda r: queries.references_to(r, GOODS),
    "references to a field": lambda r: queries.references_to(r, PRICE),
    "rights": lambda r: queries.grants_on(r, GOODS),
    "a right": lambda r: queries.grants_on(r, GOODS, "Read"),
    "a right that nobody has": lambda r: queries.grants_on(r, GOODS, "Delete"),
    "readers of a table": lambda r: queries.readers_of(r, STOCK),
    "readers of a field": lambda r: queries.readers_of(r, QUANTITY),
    "handlers": lambda r: queries.handled_by(r, ON_CHANGE),
    "extensions": lambda r: queries.extended_by(r, ROUND),
    "impact": lambda r: queries.impact(r, GOODS),
    "nothing": lambda r: queries.callers(r, "'} RETURN 1 //", depth=3),
}


@pytest.fixture(scope="module")
def readers(neo4j_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    version = lake_version(Lake(folder / "lake"), tables(), configuration="оба")
    graphs = (
        EmbeddedGraph(folder / "graph"),
        Neo4jGraph(neo4j_server.url, neo4j_server.user, neo4j_server.password),
    )
    for each in graphs:
        sync(each, version, "оба")
    with graphs[0].reader("оба") as embedded, graphs[1].reader("оба") as remote:
        yield embedded, remote


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_engines_answer_alike(readers, question):
    embedded, remote = readers
    assert QUESTIONS[question](remote) == QUESTIONS[question](embedded)


def test_a_wrong_password_names_the_settings(graph):
    wrong = dataclasses.replace(graph, password="wrong")
    with pytest.raises(PermanentError, match="NEO4J_USER and NEO4J_PASSWORD"):
        wrong.configurations()


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_database_that_is_not_there_names_its_setting(graph, scheme):
    uri = graph.uri.replace("bolt", scheme, 1)
    with (
        pytest.raises(PermanentError, match="no database 'nowhere': check NEO4J_DATABASE"),
        dataclasses.replace(graph, uri=uri, database="nowhere").open(NAME),
    ):
        pass
