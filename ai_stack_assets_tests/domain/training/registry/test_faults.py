"""What can go wrong between a fit and the model in use. The champion is never lost, and never replaced by half a step."""

import os
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training.registry.aliases import CHAMPION
from ai_stack_assets.domain.training.registry.registry import Registry
from ai_stack_assets.domain.training.registry.tracking import Tracking
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import BAD, BEST, BETTER, Workshop
from ai_stack_assets_tests.faults.test_disk import NO_ROOM, disk, fill, needs_root
from ai_stack_assets_tests.servers.mlflow import CUT, Gate
from ai_stack_assets_tests.servers.process import free_port

ALIAS, VERSIONS = "/registered-models/alias", "/model-versions/create"


@pytest.fixture(autouse=True)
def impatient(monkeypatch, quick):
    """A request that fails is not repeated: back-off would take the time of the tests."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def behind(workshop: Workshop, url: str) -> Workshop:
    """The same workshop, through another address of the server."""
    tracking = Tracking(workshop.registry.tracking.folder, url)
    prefix = workshop.registry.name("")
    return Workshop(Registry(tracking, workshop.registry.decisions, prefix=prefix), workshop.folder)


@pytest.mark.slow
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


@pytest.mark.parametrize("path", ["/logged-models", "/mlflow-artifacts/", "/runs/log-batch", "/runs/update"])
def test_mlflow_that_goes_away_while_a_model_is_logged_leaves_no_version_and_the_fit_is_logged_again(
    on_server, mlflow_server, path
):
    on_server.made(BETTER)
    with Gate(mlflow_server.port) as gate:
        gate.refuses = lambda method, at: CUT if method != "GET" and path in at else None
        with pytest.raises(TransientError, match="does not answer"):
            behind(on_server, gate.url).registry.log(on_server.fit(BEST, key="fit 2"))

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
        gone = client.create_run(experiment, tags={"host": socket.gethostname(), "process": "999999999"})
        alive = client.create_run(
            experiment, tags={"host": socket.gethostname(), "process": str(os.getpid())}
        )
        elsewhere = client.create_run(experiment, tags={"host": "another", "process": "1"})
        old = client.create_run(experiment, tags={"host": "another"}, start_time=1)

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
