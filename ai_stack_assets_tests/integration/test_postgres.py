"""Against a real PostgreSQL: each test takes a new database."""

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.postgres import queries
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
    with postgres.open("demo") as store:
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
