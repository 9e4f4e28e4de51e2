"""One fit by several processes, each with a share of the examples: Ray Train starts them, `Group` is how they agree.

A fit that is written for it (`DATA_PARALLEL = True` in its task) asks `current()`; alone, it is a group of one. What the workers
compute is averaged in the order of their ranks, so all of them hold the same model. No particular task here.

It is for examples that are too many for one machine. On one busy machine of two cores, 200 steps of the embeddings on 14,000
methods took 20 s alone and 98 s with two workers (a fit of nothing: 33 to 45 s); MRR@10 on other families 0.654 and 0.656.
"""

from __future__ import annotations

import contextvars
import importlib
import socket
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training.meeting import Meeting

if TYPE_CHECKING:
    import numpy as np

    from ai_stack_assets.domain.training.contract import Model, Progress, Sets, Task

_MINUTES = 5
"""That LightGBM's workers wait for each other."""
_SECONDS = 1.0
"""Between two looks at what the workers say."""


@dataclass(frozen=True)
class Workers:
    """The section `distributed` of `training.yaml`."""

    count: int = 1
    """1: the fit runs in the step's own process, without Ray."""
    cpus: float = 1
    gpus: float = 0
    """Of each worker."""
    storage: str = ""
    """Folder that all machines share, or `s3://…`, for what Ray Train keeps of a run; empty: one machine only."""
    address: str = ""
    """`host:port` of a cluster's head (RAY_ADDRESS); empty: Ray on this machine."""


@dataclass(frozen=True)
class Group:
    """The workers of a fit, as one of them sees it."""

    rank: int = 0
    size: int = 1
    peers: tuple[str, ...] = ()
    """`host:port` of each, in the order of their ranks."""
    meeting: Any = field(default=None, repr=False)

    def share(self, items: np.ndarray) -> np.ndarray:
        """This worker's part of examples, or of their indices: every `size`-th."""
        return items[self.rank :: self.size]

    def mean(self, array: np.ndarray) -> np.ndarray:
        """The average over all workers, in the array's own type. Each has to ask, equally often and in the same order."""
        if self.size == 1:
            return array
        import ray

        return ray.get(self.meeting.mean.remote(self.rank, array))

    def lightgbm(self) -> dict[str, Any]:
        """Parameters of LightGBM's own data-parallel trees; none when alone. For one `lightgbm.train` of a fit."""
        if self.size == 1:
            return {}
        return {
            "tree_learner": "data",
            "num_machines": self.size,
            "machines": ",".join(self.peers),
            "local_listen_port": int(self.peers[self.rank].rpartition(":")[2]),
            "pre_partition": True,
            "time_out": _MINUTES,
        }


_GROUP: contextvars.ContextVar[Group | None] = contextvars.ContextVar("group", default=None)


def current() -> Group:
    """The group that this fit runs in."""
    return _GROUP.get() or Group()


def on(task: Task, workers: Workers) -> Task:
    """The same task, whose `fit` is run by these workers; the task itself when there is only one.

    Raises:
        PermanentError: the task's fit is not data-parallel, the number of workers is below 1, or Ray is not installed.
    """
    if workers.count == 1:
        return task
    if workers.count < 1:
        raise PermanentError(f"training.yaml: distributed.count is 1 or more, not {workers.count}")
    if not getattr(task, "DATA_PARALLEL", False):
        raise PermanentError(
            f"the fit of {task.NAME} is for one process: set distributed.count to 1 for it in training.yaml"
        )
    try:
        importlib.import_module("ray.train")
    except ImportError as error:
        raise PermanentError(
            "several workers need the extra `ray`: install it, or set distributed.count to 1"
        ) from error
    return _OnRay(task, workers)  # ty: ignore[invalid-explicit-return]  (it answers everything that the task does)


class _OnRay:
    def __init__(self, task: Task, workers: Workers) -> None:
        self._task, self._workers = task, workers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def fit(
        self,
        sets: Sets,
        parameters: Mapping[str, Any],
        *,
        seed: int,
        checkpoint: Path | None = None,
        progress: Progress = print,
    ) -> Model:
        """See `contract.Task.fit`. No checkpoints: a worker that is lost fails the fit, the next try begins anew."""
        import ray

        _connect(ray, self._workers.address)
        try:
            files = _trained(
                ray, vars(self._task)["__name__"], self._workers, (sets, dict(parameters), seed), progress
            )
        finally:
            ray.shutdown()
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            return self._task.load(Path(folder))


def _connect(ray: Any, address: str) -> None:
    from ai_stack_assets.domain.dataset.dedupe import on_ray

    on_ray.connect(address)


def _trained(ray: Any, task: str, workers: Workers, job: tuple, progress: Progress) -> dict[str, bytes]:
    """Files of the fitted model, as the first worker saved them."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    # beside the workers, and no core of theirs
    meeting = ray.remote(num_cpus=0)(Meeting).remote(workers.count)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        trainer = DataParallelTrainer(
            _work,
            train_loop_config={"task": task, "job": [ray.put(job)], "meeting": meeting, "cpus": workers.cpus},
            scaling_config=ScalingConfig(
                num_workers=workers.count,
                use_gpu=workers.gpus > 0,
                resources_per_worker={"CPU": workers.cpus, **({"GPU": workers.gpus} if workers.gpus else {})},
            ),
            run_config=RunConfig(storage_path=workers.storage or folder),
        )
        done, told = thread.submit(trainer.fit), 0
        while True:
            wait([done], timeout=_SECONDS)
            for line in (new := ray.get(meeting.lines.remote(told))):
                progress(line)
            told += len(new)
            if done.done():
                break
        if error := done.exception() or done.result().error:
            raise _translated(error) from error
        return ray.get(meeting.files.remote())


def _work(config: dict[str, Any]) -> None:
    """What each worker does."""
    import ray
    from ray import train
    from threadpoolctl import threadpool_limits

    task, meeting = importlib.import_module(config["task"]), config["meeting"]
    sets, parameters, seed = ray.get(config["job"][0])
    context = train.get_context()
    rank, size = context.get_world_rank(), context.get_world_size()
    with _port() as port:
        peers = ray.get(meeting.gather.remote(rank, f"{ray.util.get_node_ip_address()}:{port}"))
    _GROUP.set(Group(rank, size, tuple(peers), meeting))
    # the others would say the same
    say = meeting.say.remote if rank == 0 else lambda _: None
    with threadpool_limits(max(1, int(config["cpus"]))):
        model = task.fit(sets, parameters, seed=seed, progress=say)
    if rank == 0:
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder))
            files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        ray.get(meeting.keep.remote(files))


class _port:
    """A free port of this machine, held while the workers tell each other theirs."""

    def __enter__(self) -> int:
        self._socket = socket.socket()
        self._socket.bind(("", 0))
        return self._socket.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _translated(error: BaseException) -> Exception:
    """What a worker raised, or that one was lost."""
    failures = getattr(error, "worker_failures", None) or {0: error}
    first = failures[min(failures)]
    cause = getattr(first, "cause", None) or first
    if isinstance(cause, PermanentError | TransientError):
        return cause
    name = type(cause).__name__
    if "Died" in name or "Crashed" in name or "Unavailable" in name:
        return TransientError(f"a worker of Ray was lost: {name}")
    return PermanentError(f"the fit failed in a worker: {name}: {cause}")
