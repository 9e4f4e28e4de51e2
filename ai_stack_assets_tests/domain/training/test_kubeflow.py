"""Runs of Kubeflow: started once, waited for, stopped with us; a server that is away for a moment is waited for too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training import kubeflow
from ai_stack_assets.domain.training.kubeflow import PATIENCE, Kubeflow
from ai_stack_assets_tests.servers.kubeflow import Server
from ai_stack_assets_tests.servers.kubeflow import kubeflow as double

SPECIFICATION = {"pipelineInfo": {"name": "training"}}


@pytest.fixture
def server() -> Iterator[Server]:
    with double() as state:
        yield state


@pytest.fixture
def client(server: Server) -> Kubeflow:
    return Kubeflow(server.url, sleep=lambda _: None)


def wait(client: Kubeflow, run_id: str, minutes: float = 5) -> kubeflow.PipelineRun:
    return client.wait(run_id, minutes=minutes, progress=lambda _: None)


def test_a_run_is_started_in_its_experiment_with_its_parameters(server: Server, client: Kubeflow) -> None:
    run_id = client.submit(SPECIFICATION, "training-1", {"seed": 7}, experiment="bsl")
    assert [e["display_name"] for e in server.experiments] == ["bsl"]
    (run,) = server.runs
    assert run["pipeline_spec"] == SPECIFICATION
    assert run["runtime_config"] == {"parameters": {"seed": 7}}
    assert run["experiment_id"] == server.experiments[0]["experiment_id"]
    assert wait(client, run_id).state == "SUCCEEDED"


def test_a_second_try_finds_the_run_that_the_first_has_started(server: Server, client: Kubeflow) -> None:
    assert client.submit(SPECIFICATION, "training-1") == client.submit(SPECIFICATION, "training-1")
    assert client.submit(SPECIFICATION, "training-2") == "run-2"
    assert len(server.experiments) == 1


def test_each_change_is_told_with_the_states_of_its_steps(server: Server, client: Kubeflow) -> None:
    server.tasks = [
        {
            "display_name": "fit",
            "state": "SUCCEEDED",
            "start_time": "2026-11-01T10:00:00Z",
            "end_time": "2026-11-01T10:01:30Z",
        },
        {"display_name": "gate", "start_time": "2026-11-01T10:00:00Z", "end_time": "0001-01-01T00:00:00Z"},
    ]
    server.script = ["RUNNING", "RUNNING", "SUCCEEDED"]
    said: list[str] = []
    run = client.wait(client.submit(SPECIFICATION, "training"), minutes=5, progress=said.append)
    assert said == [f"training {state}: fit SUCCEEDED, gate PENDING" for state in ("RUNNING", "SUCCEEDED")]
    assert run.seconds == {"fit": 90}


def test_a_failed_run_names_the_step_and_the_reason(server: Server, client: Kubeflow) -> None:
    server.script = ["FAILED"]
    server.tasks = [{"display_name": "fit", "state": "FAILED", "error": {"message": "exit code 137"}}]
    with pytest.raises(PermanentError, match=r"failed at fit: fit: exit code 137"):
        wait(client, client.submit(SPECIFICATION, "training"))


def test_a_run_that_somebody_stopped_is_no_success(server: Server, client: Kubeflow) -> None:
    server.script = ["RUNNING", "CANCELED"]
    with pytest.raises(PermanentError, match="was stopped"):
        wait(client, client.submit(SPECIFICATION, "training"))


def test_a_server_that_restarts_is_waited_for(server: Server, client: Kubeflow) -> None:
    server.script = ["RUNNING", *[503] * (PATIENCE - 1), "SUCCEEDED"]
    assert wait(client, client.submit(SPECIFICATION, "training")).state == "SUCCEEDED"


def test_a_server_that_stays_away_is_transient_and_the_run_goes_on(server: Server, client: Kubeflow) -> None:
    run_id = client.submit(SPECIFICATION, "training")
    server.script = [503]
    with pytest.raises(TransientError, match="503"):
        wait(client, run_id)
    assert f"POST /runs/{run_id}:terminate" not in server.requests


def test_a_run_that_takes_too_long_is_stopped(server: Server, client: Kubeflow) -> None:
    server.script = ["RUNNING"]
    run_id = client.submit(SPECIFICATION, "training")
    with pytest.raises(PermanentError, match="longer than 0 minutes: stopped"):
        wait(client, run_id, minutes=0)
    assert server.requests[-1] == f"POST /runs/{run_id}:terminate"


def test_an_interrupted_wait_stops_the_run(server: Server) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    server.script = ["RUNNING"]
    client = Kubeflow(server.url, sleep=interrupt)
    run_id = client.submit(SPECIFICATION, "training")
    with pytest.raises(KeyboardInterrupt):
        wait(client, run_id)
    assert server.requests[-1] == f"POST /runs/{run_id}:terminate"


def test_a_wrong_token_names_the_setting() -> None:
    with double("right") as server:
        with pytest.raises(PermanentError, match="KUBEFLOW_TOKEN"):
            Kubeflow(server.url, "wrong").submit(SPECIFICATION, "training")
        assert Kubeflow(server.url, "right").submit(SPECIFICATION, "training") == "run-1"


def test_a_run_that_is_not_there_is_told(client: Kubeflow) -> None:
    with pytest.raises(PermanentError, match="run nothing not found"):
        client.look("nothing")


def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(TransientError, match="does not answer"):
        Kubeflow("http://127.0.0.1:9").submit(SPECIFICATION, "training")


def test_a_missing_server_names_the_setting() -> None:
    with pytest.raises(PermanentError, match="KUBEFLOW_URL is not set"):
        Kubeflow("")
