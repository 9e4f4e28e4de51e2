import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.stores.postgres import embedded, queries, schema
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.stores import table_lake as made

NASTY = """x'; DROP SCHEMA onec CASCADE; --"%s {} \\ $1 \n"""


@pytest.fixture(scope="module", params=ENGINES)
def server(request, tmp_path_factory) -> Postgres:
    if request.param == "server":
        return Postgres(request.getfixturevalue("postgres_server").create_database("suite"))
    return Postgres(embedded.serve(tmp_path_factory.mktemp("server") / "pg"))


@pytest.fixture
def postgres(server) -> Postgres:
    for configuration in server.configurations():
        server.drop(configuration)
    return server


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def sync(postgres, version, **options):
    with postgres.open(version.configuration) as store:
        return synchronise(store, version, **options)


def differences(postgres, version):
    with postgres.open(version.configuration) as store:
        return {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}


def select(postgres, query, *parameters):
    with postgres.connected() as connection:
        cursor = connection.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


def test_a_first_synchronisation_writes_every_row_typed(postgres, lake):
    report = sync(postgres, made.version(lake, "v1"))

    assert report.differences == []
    assert {name: c.rows for name, c in report.collections.items()} == {
        k: len(v) for k, v in made.rows().items()
    }
    assert report.total("bytes") > 0
    assert select(postgres, "SELECT synonym->>'ru', owner_id FROM onec.objects WHERE kind = 'Catalog'") == [
        ("Иностранные валюты", made.ROOT)
    ]
    assert select(postgres, 'SELECT line, "column", is_lost FROM onec.rejected') == [(None, None, True)]
    assert select(postgres, "SELECT receiver, target_id, line FROM onec.calls") == [(None, made.VALUE, 11)]


def test_nothing_changed_writes_nothing(postgres, lake):
    version = made.version(lake, "v1")
    sync(postgres, version)
    before = select(postgres, "SELECT id, xmin::text FROM onec.methods ORDER BY id")

    report = sync(postgres, version)

    assert (
        report.total("added"),
        report.total("changed"),
        report.total("removed"),
        report.total("bytes"),
    ) == (*(0, 0, 0, 0),)
    assert select(postgres, "SELECT id, xmin::text FROM onec.methods ORDER BY id") == before


def test_one_changed_row_is_the_only_one_written(postgres, lake):
    sync(postgres, made.version(lake, "v1"))
    rows = made.rows()
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат Неопределено;")

    report = sync(postgres, made.version(lake, "v2", rows))

    assert [(n, c.changed) for n, c in report.collections.items() if c.added + c.changed + c.removed] == [
        ("methods", 1)
    ]
    assert "Неопределено" in select(postgres, "SELECT body FROM onec.methods WHERE id = %s", made.VALUE)[0][0]


def test_removed_rows_vanish_whatever_points_at_them(postgres, lake):
    sync(postgres, made.version(lake, "v1"))
    rows = made.rows()
    rows["methods"].pop(0)
    rows["calls"].clear()
    rows["objects"].pop(1)

    report = sync(postgres, made.version(lake, "v2", rows))

    assert report.differences == []
    assert report.total("removed") == 3
    assert select(postgres, "SELECT count(*) FROM onec.methods") == [(1,)]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE onec.methods SET body = 'x' WHERE id = %(id)s", "different"),
        ("UPDATE onec.methods SET content_hash = content_hash, name = 'x' WHERE id = %(id)s", "different"),
        ("DELETE FROM onec.methods WHERE id = %(id)s", "missing"),
        (
            "INSERT INTO onec.rejected (configuration, id, path, reason, message, is_lost, content_hash)"
            " SELECT configuration, 'new', path, reason, message, is_lost, content_hash FROM onec.rejected",
            "unexpected",
        ),
    ],
)
def test_damage_by_hand_is_named_and_repaired_by_writing_only_that(postgres, lake, damage, named):
    version = made.version(lake, "v1")
    sync(postgres, version)
    with postgres.connected() as connection:
        connection.execute(damage, {"id": made.CALLER})

    found = {"rejected": {named: ["new"]}} if named == "unexpected" else {"methods": {named: [made.CALLER]}}
    assert differences(postgres, version) == found

    report = sync(postgres, version)
    assert report.differences == []
    assert sum(report.total(what) for what in ("added", "changed", "removed")) == 1


def test_a_row_deleted_and_written_again_by_hand_shows(postgres, lake):
    version = made.version(lake, "v1")
    sync(postgres, version)
    with postgres.connected() as connection:
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM onec.queries")
        connection.execute("DELETE FROM onec.queries")
        connection.execute("INSERT INTO onec.queries SELECT * FROM kept")

    assert differences(postgres, version) == {"queries": {"different": [f"{made.CALLER}#query1"]}}


def test_an_empty_table_is_filled_when_rows_appear_later(postgres, lake):
    rows = made.rows()
    rows["queries"].clear()
    sync(postgres, made.version(lake, "v1", rows))

    version = made.version(lake, "v2")
    assert sync(postgres, version).total("added") == 1
    assert differences(postgres, version) == {}


def test_a_table_dropped_by_hand_comes_back_with_its_keys(postgres, lake):
    version = made.version(lake, "v1")
    sync(postgres, version)
    before = select(postgres, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    select(postgres, f"DROP TABLE onec.methods_{slug('demo')} CASCADE")

    assert sync(postgres, version).total("added") == 2
    assert differences(postgres, version) == {}
    assert select(postgres, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == before


def test_keys_are_declared_and_hold(postgres, lake):
    sync(postgres, made.version(lake, "v1"))
    found = select(
        postgres,
        "SELECT conname, condeferred FROM pg_constraint WHERE contype = 'f' AND convalidated",
    )
    assert len(found) == sum(map(len, schema.FOREIGN_KEYS.values()))
    assert all(deferred for _, deferred in found)


@pytest.mark.parametrize("first", [True, False])
def test_rows_that_break_a_key_are_refused_as_a_whole(postgres, lake, first):
    if not first:
        sync(postgres, made.version(lake, "v1"))
    rows = made.rows()
    rows["objects"] = [row for row in rows["objects"] if row.id != made.COMMON]
    rows["fields"].pop()

    with pytest.raises(PermanentError, match="foreign key"):
        sync(postgres, made.version(lake, "v2", rows), allow_shrink=True)

    if first:
        assert postgres.configurations() == []
    else:
        assert differences(postgres, lake.require("demo")) != {}
        assert select(postgres, "SELECT count(*) FROM onec.fields") == [(2,)]


def test_names_are_data_and_never_commands(postgres, lake):
    rows = made.rows()
    rows["objects"].append(made.an_object(f"Catalog.{NASTY}", synonym='"'))
    rows["queries"].append(
        rows["queries"][0]._replace(id=NASTY, text='a,"b"\r\n\\.\n\\N\ttab\x00nul \\u0000')
    )
    rows["fields"][0] = rows["fields"][0]._replace(properties='{"a":"\\\\u0000 \\u0000"}')
    version = made.version(lake, "v1", rows, configuration='it\'s; "Конфигурация" %s {}')

    sync(postgres, version)

    assert differences(postgres, version) == {}
    properties = "SELECT properties->>'a' FROM onec.fields WHERE id = %s"
    assert select(postgres, properties, rows["fields"][0].id) == [("\\u0000 \ufffd",)]
    assert postgres.configurations() == [version.configuration]
    assert select(postgres, "SELECT text FROM onec.queries WHERE id = %s", NASTY) == [
        ('a,"b"\r\n\\.\n\\N\ttab\ufffdnul \\u0000',)
    ]
    rows["objects"].pop()
    rows["queries"].pop()
    changed = made.version(lake, "v2", rows, configuration=version.configuration)
    assert sync(postgres, changed).total("removed") == 2
    postgres.drop(version.configuration)
    assert postgres.configurations() == []


def test_two_configurations_do_not_touch_each_other(postgres, lake):
    one, other = made.version(lake, "v1"), made.version(lake, "v1", configuration="other")
    sync(postgres, one)
    sync(postgres, other)
    assert postgres.configurations() == ["demo", "other"]

    postgres.drop("demo")

    assert postgres.configurations() == ["other"]
    assert differences(postgres, other) == {}
    assert sync(postgres, one).total("added") == sum(map(len, made.rows().values()))


def test_a_store_is_not_emptied_without_an_explicit_yes(postgres, lake):
    sync(postgres, made.version(lake, "v1"))
    empty = made.version(lake, "v2", {name: [] for name in TABLES})

    with pytest.raises(PermanentError, match="allow_shrink"):
        sync(postgres, empty)
    sync(postgres, empty, allow_shrink=True)
    assert select(postgres, "SELECT count(*) FROM onec.objects") == [(0,)]
    assert sync(postgres, made.version(lake, "v3")).differences == []


def _die_while_writing(url: str, root: Path) -> None:
    with Postgres(url).open("demo") as store:
        synchronise(store, Lake(root).require("demo"), progress=lambda line: "calls" in line and os._exit(9))


@pytest.mark.parametrize("first", [True, False])
def test_a_kill_while_writing_leaves_the_state_before_and_the_next_run_repairs(postgres, lake, first):
    if not first:
        sync(postgres, made.version(lake, "v0", {"objects": made.rows()["objects"]}))
    version = made.version(lake, "v1")
    process = multiprocessing.get_context("spawn").Process(
        target=_die_while_writing, args=(postgres.url, lake.root)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9

    assert postgres.configurations() == ([] if first else ["demo"])
    assert set(differences(postgres, version)) == set(TABLES) - (set() if first else {"objects"})
    assert sync(postgres, version).differences == []


def test_two_runs_of_one_configuration_take_turns(postgres, lake):
    version = made.version(lake, "v1")
    failures, inside = [], threading.Event()

    def second():
        try:
            inside.wait()
            assert sync(postgres, version).total("added") == 0
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=second)
    with postgres.open("demo") as store:
        thread.start()
        inside.set()
        synchronise(store, version)
    thread.join(60)
    assert failures == []


def test_waiting_for_another_run_ends_in_a_transient_error(postgres, lake):
    impatient = Postgres(postgres.url, lock_seconds=1)
    with postgres.open("demo"), pytest.raises(TransientError, match="POSTGRES_URL"), impatient.open("demo"):
        pass


def test_a_server_that_cuts_the_connection_is_a_transient_error(postgres, lake):
    with pytest.raises(TransientError, match="POSTGRES_URL"), postgres.open("demo") as store:
        pid = store.connection.info.backend_pid
        select(postgres, "SELECT pg_terminate_backend(%s)", pid)
        synchronise(store, made.version(lake, "v1"))


def test_ready_questions_are_answered(postgres, lake):
    version = made.version(lake, "v1")
    sync(postgres, version)
    with postgres.connected() as connection:
        found = queries.objects_by_text(connection, "demo", "иностранная валюта")
        assert [row["id"] for row in found] == [made.RATES]
        for text in ("общего назначения", "ОбщегоНазначения"):
            assert queries.objects_by_text(connection, "demo", text)[0]["id"] == made.COMMON
        assert queries.objects_by_text(connection, "demo", "валюта", kinds=["Document"]) == []
        assert queries.objects_by_text(connection, "demo", NASTY) == []
        methods = queries.methods_of_object(connection, "demo", made.COMMON)
        assert [row["id"] for row in methods] == [made.VALUE, made.CALLER]
        assert queries.callers_of_method(connection, "demo", made.VALUE)[0]["caller_id"] == made.CALLER
        assert queries.references_to(connection, "demo", "Число")[0]["source_object_id"] == made.RATES
        assert {row["table"] for row in queries.table_sizes(connection, "demo")} == set(TABLES)
        assert queries.table_sizes(connection, "nobody") == []
