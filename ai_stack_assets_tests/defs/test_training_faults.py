"""What goes wrong around a training that has a champion: processes that die, servers that go away or refuse, no room on a disk.

After each fault the champion is the version that it was, and answers as it did; without it, the next run ends well. Steps by
themselves under the same faults: `domain/training`, its `registry` above all. Bad data: `test_training_data_faults`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ai_stack_assets.orchestration import keys
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import PostgresResource
from ai_stack_assets_tests.defs import trainings
from ai_stack_assets_tests.defs.trainings import (
    WEEK,
    champion,
    configure,
    failed,
    in_use,
    train,
)
from ai_stack_assets_tests.faults.test_disk import disk, fill, needs_root
from ai_stack_assets_tests.platform import PROJECT, Platform, made, metadata
from ai_stack_assets_tests.servers.mlflow import CUT, Gate, MlflowServer, mlflow

MODEL, EVALUATION, REGISTERED = (
    step["regressor"].to_python_identifier() for step in (keys.MODELS, keys.EVALUATIONS, keys.REGISTERED)
)


@pytest.fixture(scope="module")
def server() -> Iterator[MlflowServer]:
    with mlflow() as started:
        yield started


@pytest.fixture
def gate(
    server: MlflowServer, training: Platform, servers: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Gate]:
    """Between the stage and a real MLflow. A request that fails is not repeated: back-off would take the time of the test."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with Gate(server.port) as gate:
        postgres = PostgresResource(data=servers)
        training.replaced["mlflow"] = MlflowResource(
            data=str(tmp_path / "client"), postgres=postgres, url=gate.url, prefix=f"{tmp_path.name}-"
        )
        yield gate


def goes_away(gate: Gate, path: str) -> None:
    """With the first request that writes there, and for all that come after."""
    away: list[str] = []

    def refuses(method: str, at: str) -> int | None:
        if method != "GET" and path in at:
            away.append(at)
        return CUT if away else None

    gate.refuses = refuses


def comes_back(gate: Gate) -> None:
    gate.refuses = lambda *_: None


def test_mlflow_that_goes_away_while_a_fit_is_logged_turns_the_evaluation_red_and_the_fit_is_kept(
    training: Platform, gate: Gate
) -> None:
    train(training)
    before = in_use(training)
    configure(training, offset=0.02)

    goes_away(gate, "/mlflow-artifacts/")
    broken = train(training, force=True)
    comes_back(gate)

    [(step, said)] = failed(broken).items()
    assert step == EVALUATION
    assert "does not answer" in said and "MLFLOW_TRACKING_URI" in said
    assert metadata(broken, keys.MODELS["regressor"])["is_new"]
    assert keys.REGISTERED["regressor"] not in made(broken)
    assert in_use(training) == before

    after = train(training, force=True)
    assert failed(after) == {} and not metadata(after, keys.MODELS["regressor"])["is_new"]
    assert in_use(training) == before  # a little worse: a challenger


def test_mlflow_that_goes_away_in_the_middle_of_a_promotion_keeps_the_champion_and_the_next_run_finishes_it(
    training: Platform, gate: Gate
) -> None:
    configure(training, offset=2.5)
    train(training)
    before = in_use(training)
    configure(training)

    goes_away(gate, "/registered-models/alias")
    broken = train(training, force=True)
    comes_back(gate)

    [(step, said)] = failed(broken).items()
    assert step == REGISTERED
    assert "does not answer" in said and "MLFLOW_TRACKING_URI" in said
    assert in_use(training) == before

    after = train(training, force=True)
    assert failed(after) == {} and not metadata(after, keys.EVALUATIONS["regressor"])["is_new"]
    assert metadata(after, keys.REGISTERED["regressor"])["action"] == "promoted"
    assert in_use(training)[0] == "2"


def test_a_registry_that_refuses_says_why_and_keeps_the_champion(training: Platform, gate: Gate) -> None:
    configure(training, offset=2.5)
    train(training)
    before = in_use(training)
    configure(training)

    gate.refuses = lambda method, path: (
        403 if method != "GET" and "/registered-models/alias" in path else None
    )
    broken = train(training, force=True)
    comes_back(gate)

    [(step, said)] = failed(broken).items()
    assert step == REGISTERED
    assert "refused by the gate" in said and "MLFLOW_TRACKING_URI" in said
    assert in_use(training) == before
    decisions = training.resources()["mlflow"].open().decisions_of("regressor")
    assert [row.action for row in decisions] == ["promoted", "refused"]

    after = train(training, force=True)
    assert (
        failed(after) == {} and champion(training) == metadata(after, keys.REGISTERED["regressor"])["version"]
    )
    assert in_use(training) != before


def test_a_killed_fit_is_red_alone_and_the_next_run_goes_on_from_its_checkpoint(
    training: Platform, servers: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    train(training)
    before = in_use(training)
    configure(training, offset=0.02, dies=True)
    monkeypatch.setenv(trainings.FOLDER, str(training.folder))
    monkeypatch.setenv(trainings.SERVERS, servers)
    monkeypatch.setenv(trainings.PREFIX, f"{tmp_path.name}-")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))

    with dg.instance_for_test() as instance:
        job = dg.reconstructable(trainings.in_processes)
        forced = {"ops": {MODEL: {"config": {"force": True}}}}
        tags = {"dagster/partition": WEEK}
        with dg.execute_job(job, instance, run_config=forced, tags=tags) as broken:
            events = broken.all_events
    assert [event.step_key for event in events if event.is_step_failure] == [MODEL]
    said = [event.message or "" for event in events if event.step_key == MODEL]
    assert any("signal 9 (SIGKILL)" in each for each in said), said
    assert {event.step_key for event in events if event.is_step_start} == {MODEL}
    assert in_use(training) == before

    after = train(training, force=True)
    assert failed(after) == {}
    log = metadata(after, keys.MODELS["regressor"])["log"]
    assert "epoch 2" in log and "epoch 1" not in log
    assert in_use(training) == before


def full(folder: Path) -> Path:
    """The ballast that leaves no byte."""
    ballast = fill(folder, keep=0)
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"1" * 4096)
    return ballast


@needs_root
def test_a_full_disk_under_the_lake_leaves_no_half_model(training: Platform) -> None:
    lake = training.data / "lake"
    with disk(lake / "training", 20) as small:
        train(training)
        train(training)  # drift, now that there is a champion: nothing is left to be written but the model
        before = in_use(training)
        configure(training, offset=0.02)

        ballast = full(small)
        broken = train(training, force=True)
        ballast.unlink()

        [(step, said)] = failed(broken).items()
        assert step == MODEL and said
        assert "No space left" in said and "AI_STACK_ASSETS_DATA" in said
        assert not list(small.glob("*/*/.draft"))
        assert in_use(training) == before

        assert failed(train(training, force=True)) == {}
        assert in_use(training) == before


@needs_root
def test_a_full_disk_under_mlflow_keeps_the_fit_and_the_champion(
    training: Platform, servers: str, tmp_path: Path
) -> None:
    with disk(tmp_path / "small", 60) as small:
        postgres = PostgresResource(data=servers)
        training.replaced["mlflow"] = MlflowResource(
            data=str(small), postgres=postgres, prefix=f"{tmp_path.name}-"
        )
        train(training)
        before = in_use(training)
        configure(training, offset=0.02)

        ballast = full(small)
        broken = train(training, force=True)
        assert in_use(training) == before
        ballast.unlink()

        [(step, said)] = failed(broken).items()
        assert step == EVALUATION
        assert "no space left on the disk" in said and str(small) in said
        assert metadata(broken, keys.MODELS["regressor"])["is_new"]
        assert in_use(training) == before

        after = train(training, force=True)
        assert failed(after) == {} and not metadata(after, keys.MODELS["regressor"])["is_new"]
        assert in_use(training) == before
