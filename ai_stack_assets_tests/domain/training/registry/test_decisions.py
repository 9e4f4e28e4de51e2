"""The table of decisions, and that it comes to a database which has data already."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.postgres import embedded, migrate
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.sync import synchronise
from ai_stack_assets.domain.training.registry.decisions import Decisions, Row
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.stores import table_lake as made

ROW = Row(
    id="run 2026-01-04",
    model="bsl-tiny",
    action="promoted",
    decided_at=datetime(2026, 1, 4, 12, tzinfo=UTC),
    champion_before=None,
    champion_after=1,
    reason="'; DROP SCHEMA ml CASCADE; -- %s {}",
    outcome="production",
    version=1,
    gates=[{"name": "порог", "passed": True}],
    metrics={"f1": 0.5, "нет": None},
)


@pytest.fixture(params=ENGINES)
def postgres(request, tmp_path: Path) -> Postgres:
    if request.param == "server":
        return Postgres(request.getfixturevalue("postgres_server").create_database("decisions"))
    return Postgres(embedded.serve(tmp_path / "pg"))


def test_an_upgrade_of_a_filled_database_loses_nothing_and_brings_the_table(postgres, tmp_path, monkeypatch):
    version = made.version(Lake(tmp_path / "lake"), "v1")
    with monkeypatch.context() as before:
        before.setattr(migrate, "HEAD", "0002")
        with postgres.open("demo") as store:
            synchronise(store, version)
    held = methods(postgres)
    assert len(held) > 1

    with Decisions(postgres).locked("bsl-tiny") as rows:
        rows.add(ROW)
        rows.add(ROW)

    assert methods(postgres) == held
    assert Decisions(postgres).of("bsl-tiny") == [ROW]
    assert Decisions(postgres).of("bsl-other") == []
    with postgres.open("demo") as store:
        assert synchronise(store, version).total("bytes") == 0


def methods(postgres: Postgres) -> list[tuple]:
    with postgres.connect() as connection:
        return connection.execute("SELECT * FROM onec.methods ORDER BY id").fetchall()


def test_two_that_decide_about_one_model_wait_for_each_other(database, decisions):
    import psycopg

    impatient = Decisions(Postgres(database.url, lock_seconds=1))
    with decisions.locked("bsl-tiny"):
        with impatient.locked("bsl-other") as rows:
            assert rows.all() == []
        with pytest.raises(Exception, match="lock timeout") as raised, impatient.locked("bsl-tiny"):
            pass
    assert isinstance(raised.value.__cause__, psycopg.errors.LockNotAvailable)
