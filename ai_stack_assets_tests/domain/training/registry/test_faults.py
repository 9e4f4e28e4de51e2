"""What can go wrong between a fit and the model in use. The champion is never lost, and never replaced by half a step."""

import os
import signal
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.training.registry import aliases, settling
from ai_stack_assets.domain.training.registry.aliases import CHAMPION
from ai_stack_assets.domain.training.registry.decisions import Decisions, Rows
from ai_stack_assets.domain.training.registry.registry import Registry
from ai_stack_assets.domain.training.registry.tracking import Tracking
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import BAD, BEST, BETTER, Workshop
from ai_stack_assets_tests.faults.test_disk import NO_ROOM, disk, fill, needs_root
from ai_stack_assets_tests.servers.mlflow import Gate
from ai_stack_assets_tests.servers.process import free_port

ALIAS, VERSIONS = "/registered-models/alias", "/model-versions/create"


@pytest.fixture(autouse=True)
def impatient(monkeypatch, quick):
    """A request that fails is not repeated: back-off would take the time of the tests."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def nowhere() -> Postgres:
    return Postgres(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/db", connect_seconds=2)


def behind(workshop: Workshop, url: str) -> Workshop:
    """The same workshop, through another address of the server."""
    tracking = Tracking(workshop.registry.tracking.folder, url)
    prefix = workshop.registry.name("")
    return Workshop(Registry(tracking, workshop.registry.decisions, prefix=prefix), workshop.folder)


def test_mlflow_that_dies_in_the_middle_of_a_promotion_keeps_the_champion_and_the_next_run_finishes(
    on_server, mlflow_server, monkeypatch
):
    on_server.made(BETTER)
    run, decision = on_server.judged(BEST)
    with monkeypatch.context() as fault:
        fault.setattr(Registry, "verify", lambda *_: mlflow_server.kill())
        with pytest.raises(TransientError, match=r"does not answer.*MLFLOW_TRACKING_URI"):
            on_server.registry.apply(tiny, run, decision)
    mlflow_server.start()
    assert on_server.in_use == BETTER

    on_server.made(BAD)

    assert on_server.in_use == BEST
    assert on_server.history == [("promoted", 1, 1), ("promoted", 2, 2), ("kept", None, 2)]


def test_mlflow_that_dies_while_a_model_is_logged_leaves_no_version_and_the_fit_is_logged_again(
    on_server, mlflow_server, monkeypatch
):
    from ai_stack_assets.domain.training.registry import packaging

    on_server.made(BETTER)
    package = packaging.package
    with monkeypatch.context() as fault:
        fault.setattr(packaging, "package", lambda *a, **k: (package(*a, **k), mlflow_server.kill()))
        with pytest.raises(TransientError, match="does not answer"):
            on_server.registry.log(on_server.fit(BEST, key="fit 2"))
    mlflow_server.start()

    run = on_server.registry.log(on_server.fit(BEST, key="fit 2"))

    with on_server.registry.tracking.open() as client:
        assert client.get_run(run).info.status == "FINISHED"
    assert on_server.in_use == BETTER


@pytest.mark.parametrize("path", [ALIAS, VERSIONS])
def test_a_registry_that_refuses_keeps_the_champion_and_says_so_in_a_row(on_server, mlflow_server, path):
    on_server.made(BETTER)
    with Gate(mlflow_server.port) as gate:
        gated = behind(on_server, gate.url)
        run, decision = gated.judged(BEST)
        gate.refuses = lambda method, at: 403 if method != "GET" and path in at else None
        with pytest.raises(PermanentError, match="refused"):
            gated.registry.apply(tiny, run, decision)
        assert gated.in_use == BETTER
        assert gated.history[-1][0] == "refused"

        gate.refuses = lambda *_: None
        gated.registry.apply(tiny, run, decision)

    assert on_server.in_use == BEST
    assert [action for action, *_ in on_server.history] == ["promoted", "refused", "promoted"]


@pytest.mark.parametrize("path", [ALIAS, VERSIONS])
def test_a_registry_that_is_busy_keeps_the_champion_and_the_next_run_finishes(on_server, mlflow_server, path):
    on_server.made(BETTER)
    with Gate(mlflow_server.port) as gate:
        gated = behind(on_server, gate.url)
        run, decision = gated.judged(BEST)
        gate.refuses = lambda method, at: 503 if method != "GET" and path in at else None
        with pytest.raises(TransientError):
            gated.registry.apply(tiny, run, decision)
        assert (gated.in_use, len(gated.history)) == (BETTER, 1)

    on_server.registry.apply(tiny, run, decision)

    assert on_server.in_use == BEST
    assert on_server.history == [("promoted", 1, 1), ("promoted", 2, 2)]


def test_a_server_that_is_away_is_named_without_its_password(tmp_path, decisions):
    url = f"http://user:secret@127.0.0.1:{free_port()}"
    registry = Registry(Tracking(tmp_path, url), decisions)

    with pytest.raises(TransientError, match="MLFLOW_TRACKING_URI") as raised:
        registry.champion(tiny)

    assert "secret" not in str(raised.value)
    with pytest.raises(PermanentError, match="MLFLOW_TRACKING_URI is http"):
        Registry(Tracking(tmp_path, "mlflow:5000"), decisions).champion(tiny)


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
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forget_connections() -> None:
    """SQLite's must not be used by a child."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Models
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

    for store in (Runs, Models):
        for engine in store._db_uri_sql_alchemy_engine_map.values():
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


@needs_root
def test_a_full_disk_is_a_clear_error_and_the_champion_still_loads(tmp_path, empty_mlflow, decisions):
    import shutil

    with disk(tmp_path / "small", 60) as small:
        shutil.copytree(empty_mlflow, small / "mlflow")
        workshop = Workshop(Registry(Tracking(small / "mlflow"), decisions), tmp_path)
        workshop.made(BETTER)
        ballast = fill(small, keep=20_000)

        with pytest.raises(TransientError, match=NO_ROOM):
            for number in range(50):
                workshop.registry.log(workshop.fit(BEST, key=f"fit {number}"))
        assert workshop.in_use == BETTER

        ballast.unlink()
        workshop.made(BEST)
        assert workshop.in_use == BEST


def test_a_fit_that_cannot_be_packed_is_a_failed_run_and_no_version(workshop):
    fit = workshop.fit(BEST, key="fit 1")
    (fit.folder / "level.json").unlink()

    with pytest.raises(PermanentError, match=r"level\.json is damaged"):
        workshop.registry.log(fit)

    with workshop.registry.tracking.open() as client:
        (run,) = client.search_runs([client.get_experiment_by_name("bsl-tiny").experiment_id])
    assert run.info.status == "FAILED"
    with pytest.raises(PermanentError, match="has no whole model: it is FAILED"):
        workshop.registry.register(tiny, run.info.run_id)


def test_runs_of_processes_that_are_gone_are_closed_by_the_next_fit(workshop):
    import socket

    with workshop.registry.tracking.open() as client:
        experiment = workshop.registry.tracking.experiment(client, "bsl-tiny")
        gone = client.create_run(experiment, tags={"host": socket.gethostname(), "process": "4194303999"})
        alive = client.create_run(
            experiment, tags={"host": socket.gethostname(), "process": str(os.getpid())}
        )
        elsewhere = client.create_run(experiment, tags={"host": "another", "process": "1"})
        old = client.create_run(experiment, tags={"host": "another"}, start_time=0)

    workshop.registry.log(workshop.fit(BEST))

    with workshop.registry.tracking.open() as client:
        status = [client.get_run(run.info.run_id).info.status for run in (gone, alive, elsewhere, old)]
    assert status == ["KILLED", "RUNNING", "RUNNING", "KILLED"]


def test_files_that_somebody_removed_are_named(workshop):
    workshop.made(BEST)
    files: Path = workshop.registry.files(workshop.registry.champion(tiny))
    (files / "MLmodel").unlink()

    with pytest.raises(PermanentError, match="files of models:/bsl-tiny/1 are gone"):
        workshop.registry.load(tiny, CHAMPION)


def test_a_deleted_experiment_is_named(workshop):
    workshop.made(BEST)
    with workshop.registry.tracking.open() as client:
        client.delete_experiment(client.get_experiment_by_name("bsl-tiny").experiment_id)

    with pytest.raises(PermanentError, match=r"experiment 'bsl-tiny' .* is deleted"):
        workshop.registry.log(workshop.fit(BEST))
    assert workshop.in_use == BEST
