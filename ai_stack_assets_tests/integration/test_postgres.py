"""Against a real PostgreSQL: each test takes a new database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.postgres import migrate, queries
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores import table_lake as made


@pytest.fixture
def postgres(postgres_server):
    return Postgres(postgres_server.create_database("tested"))


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def sync(postgres, version):
    with postgres.open(version.configuration) as store:
        return synchronise(store, version)


def test_a_configuration_goes_there_changes_and_leaves(postgres, lake):
    rows = made.rows()
    rows["queries"].append(rows["queries"][0]._replace(id="q", text='a,"b"\r\n\\.\n\\N\tnul\x00'))
    version = made.version(lake, "v1", rows)
    assert sync(postgres, version).differences == []
    assert sync(postgres, version).total("bytes") == 0

    rows["methods"][0] = made.a_method(made.VALUE, "Возврат 1;")
    rows["queries"].pop()
    report = sync(postgres, made.version(lake, "v2", rows))
    assert (report.total("changed"), report.total("removed"), report.differences) == (1, 1, [])
    postgres.drop("demo")
    assert postgres.configurations() == []


def test_damage_by_hand_is_named(postgres, lake):
    version = made.version(lake, "v1")
    sync(postgres, version)
    with postgres.open("demo") as store:
        store.connection.execute("UPDATE onec.methods SET name = 'x' WHERE id = %s", [made.VALUE])
        found = {d.collection: d.sample() for d in compare(store, version) if not d.is_empty}
    assert found == {"methods": {"different": [made.VALUE]}}


def test_trigrams_are_used_where_the_server_has_them(postgres, lake):
    sync(postgres, made.version(lake, "v1"))
    with postgres.connected() as connection:
        available = connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
        ).fetchone()
        indexes = connection.execute(
            "SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'"
        ).fetchone()
        assert indexes == available
        assert queries.objects_by_text(connection, "demo", "иностранная валюта")[0]["id"] == made.RATES


def test_a_database_of_the_previous_release_is_upgraded_without_loss(postgres, lake, monkeypatch):
    version, other = made.version(lake, "v1"), made.version(lake, "v1", configuration="другая")
    with monkeypatch.context() as before:
        before.setattr(migrate, "HEAD", "0001")
        for each in (version, other):
            sync(postgres, each)
        held = content(postgres)
    assert held["schema_version"] == [("0001",)] and len(held["methods"]) == 4

    report = sync(postgres, version)

    assert content(postgres) == {**held, "schema_version": [(migrate.HEAD,)]}
    assert (report.total("bytes"), report.differences) == (0, [])
    assert sync(postgres, other).total("bytes") == 0
    with postgres.connected() as connection:
        indexed = connection.execute(
            "SELECT tablename FROM pg_indexes WHERE indexdef LIKE '%(body_hash)'"
        ).fetchall()
    assert len(indexed) == 3, "the new index is on the table and on the partitions that were there"


def content(postgres):
    """Every row of every table, whatever the release."""
    with postgres.connect() as connection:
        tables = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE relnamespace = 'onec'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition ORDER BY 1"
        ).fetchall()
        return {
            name: sorted(connection.execute(f'SELECT * FROM onec."{name}"').fetchall(), key=str)
            for (name,) in tables
        }


def test_two_processes_that_find_an_old_schema_upgrade_it_once(postgres, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(migrate, "HEAD", "0001")
        assert postgres.configurations() == []
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: postgres.configurations(), range(4))) == [[]] * 4
    with postgres.connected() as connection:
        assert migrate.schema_version(connection) == migrate.HEAD
