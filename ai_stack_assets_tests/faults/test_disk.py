"""No room left: on the data folder of the embedded stores, and on PostgreSQL. A clear error, and what was there before
is there still."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets_tests import servers
from ai_stack_assets_tests.faults.lake import MODULES, OLD, ROWS, version
from ai_stack_assets_tests.faults.stores import EMBEDDED, Subject

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT TESTED: only root can mount a small disk; run as root to test a full one"
)
NO_ROOM = r"(?i)no space|disk full|os error 28|errno 28|could not (extend|write)|не осталось"


@contextlib.contextmanager
def disk(folder: Path, megabytes: int) -> Generator[Path]:
    """A disk of its own, that holds so much. Skips where even root may not mount one, as in most containers."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0777"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"NOT TESTED: a full disk, as none can be mounted here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, keep: int) -> Path:
    """A file that leaves `keep` bytes free."""
    free = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        for _ in range(max(0, (free.f_bavail * free.f_frsize - keep) >> 16)):
            file.write(b"\1" * (1 << 16))
    return ballast


@needs_root
@pytest.mark.parametrize("engine", ["graph", "search", "vectors", "postgres"])
def test_a_full_data_folder_is_a_clear_error_and_the_store_stays_as_it_was(
    engine: str, tmp_path: Path
) -> None:
    with disk(tmp_path / "data", 500) as folder:
        for name in ("lake", "vectorisers"):  # on another disk: it is the store that has no room
            (tmp_path / name).mkdir()
            (folder / name).symlink_to(tmp_path / name)
        store = Subject(engine, str(folder))
        old = version(store.lake, OLD)
        more = version(store.lake, OLD, modules=4 * MODULES)
        store.sync(old)
        ballast = fill(folder, 100_000)
        with pytest.raises((PermanentError, TransientError), match=NO_ROOM):
            store.sync(more)
        if engine in ("graph", "search"):  # the others need room to be opened at all, and say so
            assert store.seen()[OLD] == ROWS
        ballast.unlink()
        assert store.differences(old) == {}
        assert store.sync(more).differences == []
        assert store.seen()[OLD] == 4 * ROWS
        if engine == "postgres":
            _stop_database(folder)


def _stop_database(folder: Path) -> None:
    import psutil

    pid = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    process = psutil.Process(pid)
    process.kill()
    process.wait(30)


@needs_root
def test_a_full_postgresql_says_so_and_keeps_what_it_had(tmp_path: Path) -> None:
    place = Path("/tmp") / f"ai-stack-full-{os.getpid()}"
    with disk(place, 350) as folder, servers.postgres(folder=folder / "server") as server:
        store = Subject("postgres_server", str(tmp_path), {"url": server.create_database("full")})
        old, more = version(store.lake, OLD), version(store.lake, OLD, modules=4 * MODULES)
        store.sync(old)
        ballast = fill(folder, 100_000)
        with pytest.raises((PermanentError, TransientError), match=NO_ROOM):
            store.sync(more)
        ballast.unlink()
        server.start()  # a full disk under its journal stops the server
        assert store.differences(old) == {}
        assert store.sync(more).differences == []
    place.rmdir()


@pytest.mark.parametrize("engine", EMBEDDED)
def test_a_file_in_place_of_the_folder_is_an_error_that_names_the_setting(
    engine: str, tmp_path: Path
) -> None:
    store = Subject(engine, str(tmp_path))
    wanted = version(store.lake, OLD)
    (tmp_path / engine).write_text("no folder")
    with pytest.raises(PermanentError, match="AI_STACK_ASSETS_DATA"):
        store.sync(wanted)
