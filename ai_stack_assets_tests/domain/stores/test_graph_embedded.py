"""The graph in the embedded engine: equal to the lake, whatever happened in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores.graph_lake import (
    BALANCE,
    DAMAGES,
    RECOUNT,
    ROLE,
    ROUND,
    STOCK,
    a_call,
    a_reference,
    lake_version,
    nasty_tables,
    tables,
)

NAME = "склад"
COUNT = "MATCH (n:Method) WHERE n.configuration = $configuration RETURN n.id AS id ORDER BY id"


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def graph(tmp_path):
    return EmbeddedGraph(tmp_path / "graph", lock_seconds=30)


@pytest.fixture
def version(lake):
    return lake_version(lake, tables())


def sync(graph, version, name=NAME, **options):
    with graph.open(name) as store:
        return synchronise(store, version, **options)


def parity(graph, version, name=NAME):
    with graph.open(name) as store:
        return {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}


def by_hand(graph, *statements, name=NAME):
    """What somebody with a client of the engine could do."""
    connection = graph.connect(graph.file(name), read_only=False)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def written(report):
    return {
        c: (r.added, r.changed, r.removed)
        for c, r in report.collections.items()
        if r.added or r.changed or r.removed
    }


def methods(graph, name=NAME):
    with graph.reader(name) as reader:
        return [row["id"] for row in reader.rows(COUNT)]


def test_the_first_synchronisation_writes_everything(graph, version):
    report = sync(graph, version)
    assert report.differences == [] and report.total("added") == report.total("rows") > 40
    assert parity(graph, version) == {}
    assert graph.configurations() == [NAME]


def test_nothing_changed_writes_nothing(graph, version):
    sync(graph, version)
    file = graph.file(NAME)
    before = (file.stat().st_ino, file.read_bytes())
    assert written(sync(graph, version)) == {}
    assert (file.stat().st_ino, file.read_bytes()) == before


def test_one_changed_method_writes_one_node(graph, lake, version):
    sync(graph, version)
    rows = tables()
    rows["methods"] = [m._replace(cyclomatic=7) if m.id == ROUND else m for m in rows["methods"]]
    changed = lake_version(lake, rows, "v2")
    assert written(sync(graph, changed)) == {"Method": (0, 1, 0)}
    assert parity(graph, changed) == {}


def test_one_more_call_site_writes_one_relationship(graph, lake, version):
    sync(graph, version)
    rows = tables()
    rows["calls"].append(a_call(RECOUNT, 3, BALANCE, 9))
    assert written(sync(graph, lake_version(lake, rows, "v2"))) == {"CALLS": (0, 1, 0)}


def test_vanished_nodes_go_with_their_relationships(graph, lake, version):
    sync(graph, version)
    rows = tables()
    rows["methods"] = [m for m in rows["methods"] if m.id != ROUND]
    smaller = lake_version(lake, rows, "v2")
    report = sync(graph, smaller)
    assert report.collections["Method"].removed == 1
    assert report.collections["CALLS"].removed == 3
    assert parity(graph, smaller) == {} and ROUND not in methods(graph)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_by_hand_is_named_and_only_that_is_repaired(graph, version, damage):
    statement, repaired = DAMAGES[damage]
    sync(graph, version)
    by_hand(graph, statement)
    assert set(parity(graph, version)) == set(repaired)
    report = sync(graph, version)
    assert written(report) == repaired and report.differences == []
    assert parity(graph, version) == {}


def test_a_difference_names_the_relationship(graph, version):
    sync(graph, version)
    by_hand(graph, f"MATCH (:Method {{id: '{RECOUNT}'}})-[r:CALLS]->() DELETE r")
    assert parity(graph, version) == {"CALLS": {"missing": [f"{RECOUNT}>{BALANCE}"]}}


KILLED = """
import os, signal, sys
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.stores.graph.embedded_store import EmbeddedStore
from ai_stack_assets.domain.stores.sync import synchronise

written = EmbeddedStore.upsert
def upsert(self, version, collection, ids):
    if collection == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
    return written(self, version, collection, ids)
EmbeddedStore.upsert = upsert
with EmbeddedGraph(Path(sys.argv[1])).open("склад") as store:
    synchronise(store, Lake(Path(sys.argv[2])).require("склад"))
"""


@pytest.mark.parametrize("collection", ["Field", "CALLS"])
def test_a_kill_in_the_middle_leaves_the_previous_state_and_the_next_run_repairs(
    graph, lake, version, collection, tmp_path
):
    sync(graph, version)
    rows = tables()
    rows["fields"] = [f._replace(types="[1]") for f in rows["fields"]]
    rows["methods"] = [m for m in rows["methods"] if m.id != ROUND]
    rows["calls"].append(a_call(RECOUNT, 3, BALANCE, 9))
    after = lake_version(lake, rows, "v2")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(graph.folder), str(lake.root), collection])
    assert killed.returncode == -signal.SIGKILL
    assert parity(graph, version) == {}
    assert sync(graph, after).differences == [] and parity(graph, after) == {}
    name = graph.file(NAME).name
    assert sorted(p.name for p in graph.file(NAME).parent.iterdir()) == [name, f"{name}.sum", "lock"]


def test_a_kill_during_the_first_load_leaves_nothing_and_the_next_run_repairs(graph, lake, version):
    subprocess.run([sys.executable, "-c", KILLED, str(graph.folder), str(lake.root), "CALLS"])
    assert graph.configurations() == []
    assert sync(graph, version).differences == [] and parity(graph, version) == {}


def test_a_failure_in_the_middle_leaves_the_previous_state(graph, lake, version):
    import pyarrow as pa

    sync(graph, version)
    with graph.open(NAME) as store, pytest.raises(RuntimeError, match="stop"), store.transaction():
        store.delete("Method", pa.array([ROUND]))
        raise RuntimeError("stop")
    assert parity(graph, version) == {} and ROUND in methods(graph)


def test_a_second_writer_waits_for_the_first(graph, lake, version):
    order = []

    def second():
        report = sync(graph, version)
        order.append("second")
        assert report.total("added") == 0

    with graph.open(NAME) as store:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        synchronise(store, version)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_a_writer_that_waits_too_long_names_the_lock(graph, version):
    impatient = EmbeddedGraph(graph.folder, lock_seconds=0.1)
    with graph.open(NAME), pytest.raises(TransientError, match="lock"), impatient.open(NAME):
        pass


def test_a_reader_works_beside_a_writer_and_keeps_its_state(graph, lake, version):
    import pyarrow as pa

    sync(graph, version)
    with graph.reader(NAME) as before:
        with graph.open(NAME) as store, store.transaction():
            store.delete("Method", pa.array([ROUND]))
            assert ROUND in methods(graph)
        assert ROUND not in methods(graph)
        assert ROUND in [row["id"] for row in before.rows(COUNT)]


def test_names_that_are_statements_are_only_names(graph, lake):
    rows, nasty = nasty_tables()
    version = lake_version(lake, rows)
    assert sync(graph, version).differences == [] and parity(graph, version) == {}
    assert set(nasty) <= set(methods(graph))
    smaller = lake_version(lake, tables(), "v2")
    assert sync(graph, smaller).differences == [] and parity(graph, smaller) == {}


@pytest.mark.parametrize("name", ["ssl 3.2", "../../etc", ".", "a%2Fb", "Тест/Склад", "x'); --"])
def test_a_configuration_may_have_any_name(graph, lake, name):
    version = lake_version(lake, tables(), configuration="c")
    assert sync(graph, version, name).differences == []
    assert graph.configurations() == [name]
    assert graph.folder in graph.file(name).resolve().parents
    assert len(methods(graph, name)) == 4


def test_two_configurations_are_independent(graph, lake, version):
    rows = tables()
    rows["methods"] = rows["methods"][:2]
    other = lake_version(lake, rows, configuration="другая")
    sync(graph, version)
    sync(graph, other, "другая")
    assert graph.configurations() == ["другая", NAME]
    graph.drop("другая")
    assert graph.configurations() == [NAME] and parity(graph, version) == {}
    with pytest.raises(PermanentError, match="synchronise it first"):
        methods(graph, "другая")
    graph.drop("другая")


def test_a_configuration_that_became_empty_does_not_wipe_the_graph(graph, lake, version):
    sync(graph, version)
    empty = lake_version(lake, {name: [] for name in tables()}, "v2")
    with pytest.raises(PermanentError, match="allow_shrink"):
        sync(graph, empty)
    assert parity(graph, version) == {}
    assert sync(graph, empty, allow_shrink=True).differences == []
    assert methods(graph) == []


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, None], ids=["empty", "garbage", "cut off"])
def test_a_corrupt_file_is_named_with_the_way_to_rebuild(graph, version, content):
    sync(graph, version)
    file = graph.file(NAME)
    file.write_bytes(file.read_bytes()[:5000] if content is None else content)
    with pytest.raises(PermanentError, match=f"(?s){file.name}.*--rebuild=graph"):
        sync(graph, version)
    with pytest.raises(PermanentError, match=f"(?s){file.name}.*--rebuild=graph"):
        methods(graph)
    with graph.open(NAME, rebuild=True) as store:
        assert synchronise(store, version).differences == []
    assert parity(graph, version) == {} and len(methods(graph)) > 0


def test_another_schema_is_built_beside_and_replaces_the_old_one(graph, version, monkeypatch):
    sync(graph, version)
    old = graph.file(NAME)
    monkeypatch.setattr(schema, "fingerprint", lambda engine: "00000000")
    assert graph.file(NAME) != old
    with graph.open(NAME) as store:
        assert old.exists()
        assert synchronise(store, version).total("added") > 40
    assert not old.exists() and parity(graph, version) == {}


def test_a_configuration_never_written_is_an_error_not_an_empty_graph(graph):
    with pytest.raises(PermanentError, match="synchronise it first"):
        methods(graph)


def test_too_little_memory_is_named(graph, version, tmp_path):
    small = EmbeddedGraph(tmp_path / "small", memory_bytes=1 << 20)
    with pytest.raises(PermanentError, match="memory"):
        sync(small, version)


def test_what_was_left_out_is_told(graph, version):
    with graph.open(NAME) as store:
        synchronise(store, version)
        assert {name: count for name, count in store.dangling.items() if count} == {"REFERENCES": 1}


def test_rights_on_more_objects_are_added_to_those_there(graph, lake, version):
    sync(graph, version)
    rows = tables()
    rows["references"].append(a_reference(ROLE, "RoleRight", STOCK, "object", "Read"))
    more = lake_version(lake, rows, "v2")
    assert written(sync(graph, more)) == {"GRANTS": (1, 0, 0)} and parity(graph, more) == {}
