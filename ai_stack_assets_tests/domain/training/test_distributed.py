"""Several workers make the model that one makes; what cannot be shared is refused; Ray is started once for all that needs it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training import distributed
from ai_stack_assets.domain.training.distributed import Group, Workers
from ai_stack_assets.domain.training.meeting import Meeting
from ai_stack_assets_tests.domain.training import shared_fit

SETS = shared_fit.examples()


def alone(**parameters: Any) -> shared_fit.Line:
    return shared_fit.fit(SETS, {**shared_fit.PARAMETERS, **parameters}, seed=7, progress=lambda _: None)


def test_a_fit_alone_is_a_group_of_one() -> None:
    group, numbers = distributed.current(), np.arange(5)
    assert (group.rank, group.size, group.lightgbm()) == (0, 1, {})
    assert group.share(numbers).tolist() == numbers.tolist()
    assert group.mean(numbers) is numbers


def test_shares_are_disjoint_and_together_everything() -> None:
    shares = [Group(rank, 3).share(np.arange(10)) for rank in range(3)]
    assert sorted(np.concatenate(shares).tolist()) == list(range(10))


def test_the_average_does_not_depend_on_who_comes_first() -> None:
    arrays = [
        np.array([0.1, 1e9], np.float32),
        np.array([0.2, 1.0], np.float32),
        np.array([0.3, -1e9], np.float32),
    ]

    async def averaged(order: list[int]) -> list[np.ndarray]:
        meeting = Meeting(3)
        return await asyncio.gather(*(meeting.mean(rank, arrays[rank]) for rank in order))

    found = [asyncio.run(averaged(order)) for order in ([0, 1, 2], [2, 0, 1])]
    assert len({each.tobytes() for answers in found for each in answers}) == 1
    assert found[0][0].dtype == np.float32


def test_rounds_follow_each_other_however_late_a_worker_is() -> None:
    async def rounds() -> list[list[float]]:
        meeting = Meeting(2)

        async def worker(rank: int) -> list[float]:
            return [float((await meeting.mean(rank, np.array([r + rank])))[0]) for r in (0.0, 10.0, 20.0)]

        return await asyncio.gather(worker(0), worker(1))

    assert asyncio.run(rounds()) == [[0.5, 10.5, 20.5]] * 2


def test_what_is_brought_is_gathered_by_rank() -> None:
    async def gathered() -> list[list[str]]:
        meeting = Meeting(2)
        return await asyncio.gather(meeting.gather(1, "b"), meeting.gather(0, "a"))

    assert asyncio.run(gathered()) == [["a", "b"]] * 2


def test_lightgbm_hears_of_all_workers_and_of_its_own_port() -> None:
    found = Group(1, 2, ("10.0.0.1:4000", "10.0.0.2:5000")).lightgbm()
    assert (found["num_machines"], found["local_listen_port"]) == (2, 5000)
    assert found["machines"] == "10.0.0.1:4000,10.0.0.2:5000"


def test_one_worker_is_the_task_itself() -> None:
    assert distributed.on(shared_fit, Workers()) is shared_fit  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "count", "message"),
    [
        (SimpleNamespace(NAME="classifier"), 2, "the fit of classifier is for one process"),
        (shared_fit, 0, "distributed.count is 1 or more"),
    ],
)
def test_what_cannot_be_shared_is_refused(task: Any, count: int, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        distributed.on(task, Workers(count))


def test_a_cluster_that_does_not_answer_names_the_setting() -> None:
    pytest.importorskip("ray")
    task = distributed.on(shared_fit, Workers(2, address="127.0.0.1:9"))  # type: ignore[arg-type]
    with pytest.raises(TransientError, match="RAY_ADDRESS"):
        task.fit(SETS, shared_fit.PARAMETERS, seed=7)


@pytest.fixture(scope="module")
def on_ray() -> Any:
    """The task on two workers of Ray on this machine."""
    pytest.importorskip("ray")
    return distributed.on(shared_fit, Workers(2, cpus=0.5))  # type: ignore[arg-type]


@pytest.mark.slow
def test_two_workers_of_ray_make_the_model_that_one_makes(on_ray: Any) -> None:
    said: list[str] = []
    found = on_ray.fit(SETS, shared_fit.PARAMETERS, seed=7, progress=said.append)
    assert (found.facts["size"], found.facts["rows"]) == (2, 500)
    assert said == ["500 rows, 2 workers"]
    assert found.facts["said"] == pytest.approx(alone().facts["said"], abs=0.01)


@pytest.mark.slow
def test_two_workers_grow_trees_together(on_ray: Any) -> None:
    found = on_ray.fit(SETS, {**shared_fit.PARAMETERS, "trees": True}, seed=7, progress=lambda _: None)
    assert found.facts["said"] == pytest.approx(alone(trees=True).facts["said"], abs=0.2)


@pytest.mark.slow
def test_what_a_worker_refuses_is_told_as_if_it_were_here(on_ray: Any) -> None:
    with pytest.raises(PermanentError, match="the target is constant"):
        on_ray.fit(SETS, {**shared_fit.PARAMETERS, "fails": True}, seed=7, progress=lambda _: None)
