"""Processes that die, and PostgreSQL that is away, between a decision and its row. The next run puts it right."""

import os
import signal
import traceback

import pytest

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.training.registry import aliases, settling
from ai_stack_assets.domain.training.registry.decisions import Decisions, Rows
from ai_stack_assets.domain.training.registry.registry import Registry
from ai_stack_assets.domain.training.registry.tracking import Tracking
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import BAD, BEST, BETTER
from ai_stack_assets_tests.servers.process import free_port

pytestmark = pytest.mark.usefixtures("quick")


def nowhere() -> Postgres:
    return Postgres(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/db", connect_seconds=2)


STEPS = (
    (settling, "intend"),
    (aliases, "register"),
    (Registry, "verify"),
    (aliases, "move"),
    ("client", "set_registered_model_alias"),
    (Rows, "add"),
)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_process_killed_at_any_step_of_a_promotion_loses_nothing(
    workshop, monkeypatch, owner, step, moment
):
    workshop.made(BETTER)
    run, decision = workshop.judged(BEST)

    assert killed_at(workshop, monkeypatch, owner, step, moment, run, decision) == -signal.SIGKILL

    assert workshop.in_use in (BETTER, BEST)
    workshop.registry.apply(tiny, run, decision)
    assert workshop.in_use == BEST
    assert workshop.history == [("promoted", 1, 1), ("promoted", 2, 2)]
    workshop.registry.rollback(tiny)
    assert workshop.in_use == BETTER


def killed_at(workshop, monkeypatch, owner, step, moment, run, decision) -> int:
    """Apply in a child that kills itself there. Returns its exit code."""
    child = os.fork()
    if not child:
        try:
            forget_connections()
            if owner == "client":
                from mlflow import MlflowClient as owner
            original = getattr(owner, step)

            def die(*arguments, **options):
                if moment == "after":
                    original(*arguments, **options)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(owner, step, die)
            tracking = Tracking(workshop.registry.tracking.folder)
            Registry(tracking, workshop.registry.decisions).apply(tiny, run, decision)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forget_connections() -> None:
    """SQLite's must not be used by a child."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Models
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

    for store in (Runs, Models):
        for engine in store._engine_map.values():
            engine.dispose(close=False)


def test_a_rollback_that_was_cut_short_is_recorded_by_the_next_run(workshop, monkeypatch):
    workshop.made(BETTER)
    workshop.made(BEST)

    with monkeypatch.context() as fault:
        fault.setattr(Rows, "add", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            workshop.registry.rollback(tiny, reason="wrong answers", by="lead")
    assert workshop.in_use == BETTER
    workshop.made(BAD)

    assert workshop.history[2:] == [("rolled_back", 1, 1), ("kept", None, 1)]
    row = workshop.registry.decisions_of(tiny)[2]
    assert (row.reason, row.decided_by, row.champion_before) == ("wrong answers", "lead", 2)


def test_rollback_works_without_postgresql_and_is_recorded_later(workshop):
    workshop.made(BETTER)
    workshop.made(BEST)
    alone = Registry(workshop.registry.tracking, Decisions(nowhere()))

    row = alone.rollback(tiny, reason="wrong answers")

    assert (row.action, workshop.in_use) == ("rolled_back", BETTER)
    workshop.made(BAD)
    assert workshop.history[2:] == [("rolled_back", 1, 1), ("kept", None, 1)]


def test_without_postgresql_nothing_is_promoted(workshop):
    workshop.made(BETTER)
    run, decision = workshop.judged(BEST)

    with pytest.raises(TransientError, match="POSTGRES_URL"):
        Registry(workshop.registry.tracking, Decisions(nowhere())).apply(tiny, run, decision)

    assert workshop.in_use == BETTER


def test_a_new_database_gets_the_decisions_that_mlflow_remembers_and_nothing_moves(workshop, database):
    for level in (8, BETTER, BEST):
        workshop.made(level)
    workshop.registry.rollback(tiny)
    before = workshop.history
    with database.connected() as connection:
        connection.execute("DELETE FROM ml.model_registry")

    workshop.made(BAD)

    level = workshop.in_use
    assert level == tiny_level(before)
    assert [action for action, *_ in workshop.history] == [action for action, *_ in before] + ["kept"]


def tiny_level(history) -> int:
    """Of the version in use at the end: versions were made of these levels in turn."""
    return (8, BETTER, BEST)[history[-1][2] - 1]
