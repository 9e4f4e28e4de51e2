"""Questions to the graph, answered by both engines."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.graph import open_graph, queries
from ai_stack_assets.domain.stores.sync import synchronise
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.stores.graph_lake import (
    BALANCE,
    FORM,
    GOODS,
    JOB,
    MANAGER,
    ON_CHANGE,
    PRICE,
    QUANTITY,
    RECOUNT,
    ROLE,
    ROUND,
    STOCK,
    TABLE,
    a_call,
    a_method,
    lake_version,
    tables,
)


def opened(tmp_path, rows, **server):
    graph = open_graph(tmp_path / "graph", **server)
    with graph.open("c") as store:
        synchronise(store, lake_version(Lake(tmp_path / "lake"), rows))
    return graph.reader("c")


@pytest.fixture(scope="module", params=ENGINES)
def reader(request, tmp_path_factory):
    rows = tables()
    rows["methods"].append(a_method(f"{MANAGER}.Расш_Цена", 9, '[{"kind":"Around","target":"Цена"}]'))
    server = {}
    if request.param == "server":
        found = request.getfixturevalue("neo4j_server")
        server = {"uri": found.url, "user": found.user, "password": found.password}
    with opened(tmp_path_factory.mktemp("queries"), rows, **server) as found:
        yield found


def test_direct_callers_are_methods_and_modules(reader):
    assert [step.id for step in queries.callers(reader, ROUND)] == sorted([BALANCE, ON_CHANGE, MANAGER])


def test_callers_through_calls_come_with_their_distance(reader):
    found = {
        step.id: (step.distance, step.via, step.calls, step.line)
        for step in queries.callers(reader, ROUND, 3)
    }
    assert found[RECOUNT] == (2, BALANCE, 2, 3) and found[BALANCE][0] == 1


def test_callees_go_the_other_way(reader):
    assert [(step.id, step.distance) for step in queries.callees(reader, RECOUNT, 5)] == [
        (BALANCE, 1),
        (ROUND, 2),
    ]


def test_a_call_path_is_a_shortest_one_or_none(reader):
    assert queries.call_path(reader, RECOUNT, ROUND) == [RECOUNT, BALANCE, ROUND]
    assert queries.call_path(reader, RECOUNT, ROUND, depth=1) == []
    assert queries.call_path(reader, ROUND, RECOUNT) == []
    assert queries.call_path(reader, ROUND, ROUND) == [ROUND]


def test_recursion_ends(tmp_path):
    rows = tables()
    rows["calls"] += [a_call(ROUND, 1, RECOUNT), a_call(ROUND, 2, ROUND)]
    with opened(tmp_path, rows) as reader:
        assert [step.id for step in queries.callees(reader, RECOUNT, 10)] == [BALANCE, ROUND]
        assert ROUND not in {step.id for step in queries.callers(reader, ROUND, 10)}


def test_the_most_called_method_has_the_most_callers(reader):
    assert queries.most_called(reader, 1) == [{"id": ROUND, "callers": 3, "calls": 3}]


def test_a_changed_attribute_touches_forms_and_queries(reader):
    assert {(row["id"], row["how"]) for row in queries.impact(reader, PRICE)} == {
        (FORM, "REFERENCES DataPath")
    }
    assert {row["id"] for row in queries.readers_of(reader, QUANTITY)} == {BALANCE}
    assert {(row["id"], row["how"]) for row in queries.impact(reader, GOODS)} == {
        (f"{TABLE}.Attribute.Товар", "REFERENCES FieldType"),
        (ROLE, "GRANTS"),
        (ROUND, "READS"),
    }


def test_readers_of_a_register_name_the_tables_as_written(reader):
    (row,) = queries.readers_of(reader, STOCK)
    assert (row["id"], row["queries"]) == (BALANCE, 2)
    assert "РегистрНакопления.Остатки.Остатки" in row["names"]


def test_roles_are_found_by_right(reader):
    assert queries.grants_on(reader, GOODS, "Read") == [
        {"id": ROLE, "rights": ["Read", "View"], "restricted": ["Read"]}
    ]
    assert queries.grants_on(reader, GOODS, "Delete") == [] == queries.grants_on(reader, STOCK)


def test_what_runs_a_method_is_told_with_the_event(reader):
    assert [row["id"] for row in queries.handled_by(reader, RECOUNT)] == [JOB]
    assert queries.handled_by(reader, ON_CHANGE)[0]["details"] == ["ПолеЦены:OnChange"]


def test_an_extension_tells_what_extends_a_method(reader):
    found = queries.extended_by(reader, f"{MANAGER}.Цена")
    assert found == [{"id": f"{MANAGER}.Расш_Цена", "annotation": "Around"}]


@pytest.mark.parametrize("name", ["'} RETURN 1 //", "нет такого", "", "$id"])
def test_an_unknown_name_finds_nothing(reader, name):
    assert queries.callers(reader, name, 5) == [] == queries.impact(reader, name)
