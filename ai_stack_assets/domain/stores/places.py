"""What a store stands on: the data folder, its file system, packages, the vectoriser. Looks of `stores.doctor`, no engine."""

from __future__ import annotations

import contextlib
import importlib.metadata
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers

SETTING = "AI_STACK_ASSETS_DATA"
LEAST_FREE_BYTES = 2 << 30
"""A full sync of 2,200 modules writes 0.6 GB, and old versions stay beside the new ones for a while."""
FOLDER_STEPS = ("writable", "file system", "space")
VECTORISER_STEPS = ("ready",)


def installed(package: str) -> str:
    return importlib.metadata.version(package)


def try_folder(folder: Path) -> None:
    """Does in it what the lake and the embedded stores do: write, rename, link, lock, remove.

    Raises PermanentError that names the setting.
    """
    from filelock import FileLock, Timeout

    probe = folder / f".doctor-{uuid.uuid4().hex}"
    try:
        probe.mkdir(parents=True)
        (probe / "file").write_bytes(b"x")
        (probe / "file").replace(probe / "renamed")
        (probe / "link").symlink_to("renamed")
        (probe / "hard").hardlink_to(probe / "renamed")
        with FileLock(probe / "lock", timeout=5):
            pass
    except (OSError, NotImplementedError, Timeout) as error:
        raise PermanentError(
            f"{folder} cannot be used ({error}): check {SETTING}, or the rights on that folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(probe)


def look_at_folder(folder: Path) -> Iterator[tuple[str, str]]:
    try_folder(folder)
    yield "writable", str(folder)
    yield "file system", file_system(folder)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise PermanentError(
            f"{free >> 20} MB are free in {folder}, {LEAST_FREE_BYTES >> 20} MB are the least: free some, or change {SETTING}"
        )
    yield "space", f"{free / 2**30:.0f} GB free"


def file_system(folder: Path) -> str:
    """Type of the mount that holds it, from /proc; `unknown` elsewhere."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "unknown"
    folder, best = folder.resolve(), ("", "unknown")
    for line in mounts.read_text().splitlines():
        _, place, kind, *_ = line.split()
        if folder.is_relative_to(place.replace("\\040", " ")):
            best = max(best, (place, kind), key=lambda found: len(found[0]))
    return best[1]


def look_at_vectoriser(open_vectorisers: Callable[[], Vectorisers]) -> Iterator[tuple[str, str]]:
    """One that is given is asked for a vector; one that is fitted is fitted by a run."""
    vectorisers = open_vectorisers()
    name = vectorisers.settings.name
    if vectorisers.is_fitted_here:
        yield "ready", vectorisers.said
        return
    size = vectorisers.current("doctor").encode_queries(["остатки товаров"]).shape[1]
    yield "ready", f"{name} {vectorisers.settings.model}: {size} numbers"
