"""One fit as a version in the lake: with its checkpoint, its share of the machine and what it cost; not made twice.

    <data>/lake/training/<task>_model/<week>/<version>/model/<file>       what `Model.save` wrote
    <data>/work/training/checkpoints/<task>/<version>/                    while it is being fitted, on this machine

The version's name is a hash of the examples, the parameters, the seed and the task's code version.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.hashing import sha256_file
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.dataset.pipeline import Made

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.contract import Model, Sets, Task

MODEL, DIGESTS = "model", "sha256"
LINES_KEPT = 200
"""Of what a fit says, in the version's manifest."""


@dataclass(frozen=True)
class Wanted:
    """What a fit depends on besides its examples. `origin`: where the parameters come from, for people."""

    parameters: Mapping[str, Any]
    seed: int
    workers: int = 1
    """Processes that share the fit: sums of floating-point numbers depend on how many there are."""
    origin: str = "defaults"
    drift: str = ""
    """Version of the drift that it is fitted for; no part of what the fit depends on."""


def parameters(task: Task, found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The task's defaults, over them what a search found, over them what training.yaml says.

    Raises:
        PermanentError: training.yaml names a parameter that the task does not have.
    """
    if unknown := sorted(set(given) - set(task.PARAMETERS)):
        raise PermanentError(
            f"training.yaml: {task.NAME} has no parameter {unknown[0]!r}: {', '.join(sorted(task.PARAMETERS))}"
        )
    known = {name: value for name, value in found.items() if name in task.PARAMETERS}
    return {**task.PARAMETERS, **known, **given}


def fit(
    lake: Lake,
    week: str,
    task: Task,
    examples: Version,
    read: Callable[[Version], Sets],
    wanted: Wanted,
    *,
    work: Path,
    threads: int,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Made:
    """The fitted model, unless it is there already. What a killed fit left as its checkpoint is gone on with.

    Args:
        lake: of this task's models. read: examples of a version as sets.
        work: folder on this machine. threads: that the libraries of numbers may use.
        force: fit it again when its files are damaged.

    Raises:
        PermanentError: it is there and its files are damaged; names the file, and what mends it.
    """
    version_id = stage.key(
        task.CODE_VERSION, examples, seed=wanted.seed, workers=wanted.workers, **wanted.parameters
    )
    checkpoint = checkpoint_folder(work, task.NAME) / version_id

    def write(parts: stage.Parts) -> dict[str, Any]:
        checkpoint.mkdir(parents=True, exist_ok=True)
        said: list[str] = []

        def progress(line: str) -> None:
            said.append(line)
            say(line)

        clock = PhaseClock()
        sets = read(examples)
        clock.lap("read")
        with limited(threads):
            model = task.fit(
                sets, wanted.parameters, seed=wanted.seed, checkpoint=checkpoint, progress=progress
            )
        clock.lap("fit")
        digests = _save(model, parts)
        clock.lap("save")
        return {
            **_facts(task, wanted, examples, sets),
            DIGESTS: digests,
            "seconds": clock.seconds,
            "peak_mb": peak_mb(),
            "threads": threads,
            # of models whose fit can run on more than one
            **getattr(model, "facts", {}),
            "log": said[-LINES_KEPT:],
        }

    there = stage.found(lake, week, version_id)
    again = there is not None and _is_damaged(task, there, force, say)
    made = Made(*stage.build(lake, week, version_id, write, again=again))
    shutil.rmtree(checkpoint, ignore_errors=True)
    return made


def folder_of(model: Version) -> Path:
    """Of the files that `Task.load` reads, on this machine."""
    files = model.parts(MODEL)
    if not files:
        raise PermanentError(f"version {model.id} of the model of week {model.configuration} has no files")
    return files[0].parent


def load(task: Task, model: Version) -> Model:
    """Raises PermanentError that names the file which is damaged, and what mends it."""
    try:
        folder = folder_of(model)
        for name, digest in model.manifest["facts"].get(DIGESTS, {}).items():
            if digest != _digest(folder / name):
                raise PermanentError(f"{folder / name} is damaged: it is not what the fit wrote")
        return task.load(folder)
    except PermanentError as error:
        mends = f"`train --week {model.configuration} --task {task.NAME} --force` fits the model again"
        raise PermanentError(f"{error}; {mends}") from error


def _is_damaged(task: Task, model: Version, force: bool, say: Callable[[str], None]) -> bool:
    try:
        load(task, model)
    except PermanentError as error:
        if not force:
            raise
        say(f"fitted again: {error}")
        return True
    return False


def _digest(file: Path) -> str:
    return sha256_file(file) if file.exists() else ""


def checkpoint_folder(work: Path, task: str) -> Path:
    return work / "checkpoints" / task


def threads_of(wanted: int, at_once: int) -> int:
    """Of a fit: what training.yaml says, else its share of the cores when `at_once` fits run."""
    return wanted or max(1, cores() // max(1, at_once))


def cores() -> int:
    return len(os.sched_getaffinity(0))


def limited(threads: int) -> Any:
    """Context in which BLAS and OpenMP use so many threads: fits at the same time must not take each other's cores."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(threads)


def peak_mb() -> int:
    """Of this process. Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _facts(task: Task, wanted: Wanted, examples: Version, sets: Sets) -> dict[str, Any]:
    return {
        "task": task.NAME,
        "code_version": task.CODE_VERSION,
        "parameters": dict(wanted.parameters),
        "parameters_from": wanted.origin,
        "seed": wanted.seed,
        "workers": wanted.workers,
        "drift": wanted.drift,
        "examples": examples.id,
        "rows": {name: getattr(sets, name).num_rows for name in ("train", "validation", "test")},
        "data": dict(sets.facts),
    }


def _save(model: Model, parts: stage.Parts) -> dict[str, str]:
    """Returns the digests of the files by name."""
    folder = parts.folder / MODEL
    folder.mkdir(parents=True)
    model.save(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if nested := [path for path in files if path.parent != folder]:
        raise PermanentError(
            f"a model is saved as files in one folder, found {nested[0].relative_to(folder)}"
        )
    for path in files:
        parts.add_file(MODEL, path, 0)
    return {path.name: sha256_file(path) for path in files}
