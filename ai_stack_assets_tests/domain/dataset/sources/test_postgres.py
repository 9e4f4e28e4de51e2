"""Records from what the stores stage keeps in PostgreSQL (the embedded one here)."""

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset.records import schema
from ai_stack_assets.domain.dataset.sources import postgres as source
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets.domain.dataset.sources.postgres import (
    PostgresSettings,
    Rights,
    look_postgres,
    read_postgres,
)
from ai_stack_assets.domain.stores.postgres import embedded
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.sync import synchronise
from ai_stack_assets_tests.domain.stores import table_lake as made


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Postgres:
    return Postgres(embedded.serve(tmp_path_factory.mktemp("server") / "pg"))


@pytest.fixture
def postgres(server):
    yield server
    for name in server.configurations():
        server.drop(name)


def load(postgres, tmp_path, version: str, rows=None) -> None:
    with postgres.open("demo") as store:
        synchronise(store, made.version(Lake(tmp_path / "lake"), version, rows))


def harvest(postgres, settings=PostgresSettings()):  # noqa: B008
    report = Report()
    snapshot = look_postgres(postgres, settings, report)
    tables = list(read_postgres(postgres, snapshot, settings, report))
    return [row for table in tables for row in table.to_pylist()], snapshot, report, tables


def test_a_stored_method_becomes_a_record(postgres, tmp_path):
    rows = made.rows()
    rows["methods"][0] = rows["methods"][0]._replace(directive="AtServer", is_export=True)
    load(postgres, tmp_path, "v1", rows)
    records, snapshot, report, tables = harvest(postgres)
    record = next(row for row in records if row["method_name"] == "ЗначениеРеквизитаОбъекта")
    assert tables[0].schema.equals(schema())
    assert (record["source"], record["repository"], record["configuration"]) == ("postgres", "demo", "demo")
    assert record["commit"] == snapshot.states["demo"]
    assert (record["path"], record["start_line"]) == ("m.bsl", 1)
    assert (record["object"], record["module_type"]) == ("CommonModule.ОбщегоНазначения", "CommonModule")
    assert record["signature"] == "Функция ЗначениеРеквизитаОбъекта(А) Экспорт"
    assert (record["directive"], record["is_export"]) == ("&НаСервере", True)
    assert record["doc_comment"] == "Читает значение реквизита из базы."
    assert record["tokens"] == 13
    assert report.statistics == {"configurations": 1, "records": 2, "rejected": {}}


def test_own_code_is_not_published_unless_said_so(postgres, tmp_path):
    load(postgres, tmp_path, "v1")
    marks = {(row["licence"], row["is_publishable"]) for row in harvest(postgres)[0]}
    assert marks == {("LicenseRef-Proprietary", False)}
    settings = PostgresSettings(rights={"demo": Rights("MIT", True)})
    assert {(row["licence"], row["is_publishable"]) for row in harvest(postgres, settings)[0]} == {
        ("MIT", True)
    }


def test_the_key_changes_with_the_methods_and_the_rights_and_with_nothing_else(postgres, tmp_path):
    load(postgres, tmp_path, "v1")
    key = harvest(postgres)[1].key
    rows = made.rows()
    rows["fields"].pop()
    load(postgres, tmp_path, "v2", rows)
    assert harvest(postgres)[1].key == key
    assert harvest(postgres, PostgresSettings(default_rights=Rights("MIT")))[1].key != key
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат 1;")
    load(postgres, tmp_path, "v3", rows)
    assert harvest(postgres)[1].key != key


def test_methods_of_one_name_keep_ids_of_their_own(postgres, tmp_path):
    rows = made.rows()
    rows["methods"].append(rows["methods"][1]._replace(id=f"{made.CALLER}~2"))
    load(postgres, tmp_path, "v1", rows)
    records = harvest(postgres)[0]
    assert len({row["id"] for row in records}) == len(records) == 3


def test_only_the_named_configurations_are_read_and_a_missing_one_is_reported(postgres, tmp_path):
    load(postgres, tmp_path, "v1")
    rows, _, report, _ = harvest(postgres, PostgresSettings(("demo", "absent")))
    assert {row["configuration"] for row in rows} == {"demo"}
    assert report.reasons == {"unknown_configuration": 1}
    with pytest.raises(PermanentError, match=r"no methods of absent.*POSTGRES_URL"):
        harvest(postgres, PostgresSettings(("absent",)))


def test_an_empty_database_names_the_setting(postgres):
    with pytest.raises(PermanentError, match="POSTGRES_URL"):
        harvest(postgres)


def test_a_server_that_is_away_is_transient_and_names_the_setting():
    with pytest.raises(TransientError, match="POSTGRES_URL"):
        look_postgres(Postgres("postgresql://127.0.0.1:1/x", connect_seconds=1), PostgresSettings(), Report())


def test_a_change_between_looking_and_reading_asks_for_another_look(postgres, tmp_path):
    load(postgres, tmp_path, "v1")
    snapshot = look_postgres(postgres, PostgresSettings(), Report())
    rows = made.rows()
    rows["methods"][0] = made.a_method(made.VALUE, "Возврат 1;")
    load(postgres, tmp_path, "v2", rows)
    with pytest.raises(TransientError, match="changed between"):
        list(read_postgres(postgres, snapshot, PostgresSettings(), Report()))


def test_a_change_while_reading_is_not_seen(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr("ai_stack_assets.domain.dataset.sources.harvest.BATCH_ROWS", 1)
    monkeypatch.setattr(source, "_ROWS_AT_ONCE", 1)
    load(postgres, tmp_path, "v1")
    expected = harvest(postgres)[0]
    report, settings = Report(), PostgresSettings()
    tables = read_postgres(postgres, look_postgres(postgres, settings, report), settings, report)
    rows = next(tables).to_pylist()
    changed = made.rows()
    changed["methods"] = [made.a_method(made.VALUE, "Возврат 1;"), made.a_method(made.CALLER, "Возврат 2;")]
    load(postgres, tmp_path, "v2", changed)
    assert rows + [row for table in tables for row in table.to_pylist()] == expected
