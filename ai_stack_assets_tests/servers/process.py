"""One server process and its children: start, wait until it answers, kill, pause. What is started: the modules beside."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

START_SECONDS = 180
_POLL_SECONDS = 0.05

S = TypeVar("S", bound="Server")


class Server(ABC):
    """A server of a throw-away folder. `start` returns when it answers."""

    name: str
    ca: Path | None = None
    """The authority that signed its certificate, when it has one."""

    def __init__(self, folder: Path, user: str, password: str) -> None:
        self.folder, self.user, self.password = folder, user, password
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Whether a client gets a sensible answer now; may raise."""

    def options(self) -> dict[str, Any]:
        """More arguments of `Popen`."""
        return {}

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """On the data and the port that it had. Does nothing when it runs."""
        if self.is_alive:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, **self.options())
        until, last = time.monotonic() + START_SECONDS, "no answer"
        while self.is_alive and time.monotonic() < until:
            try:
                if self.answers():
                    return
            except Exception as error:  # any: what a half-started server says is not foreseeable
                last = f"{type(error).__name__}: {error}"
            time.sleep(_POLL_SECONDS)
        self.kill()
        raise RuntimeError(f"{self.name} did not start ({last}):\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to every process of it, as a crash of the machine's memory would; waits until they are gone."""
        import psutil

        if self.process is None:
            return
        family = self._family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=30)

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        self._family()

    def resume(self) -> None:
        import psutil

        if self.is_alive:
            parent = psutil.Process(self.process.pid)
            for process in [*parent.children(recursive=True), parent]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def _family(self) -> list[Any]:
        """All processes, stopped: the parent first, so that none is born meanwhile."""
        import psutil

        family: list[Any] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            parent.suspend()
            family = [parent, *parent.children(recursive=True)]
            for child in family[1:]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.suspend()
        return family


@contextlib.contextmanager
def running(server: S) -> Generator[S]:
    """Started, and at the end killed and its folder removed, whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


def new_folder(name: str, folder: Path | None) -> Path:
    """A folder outside pytest's own, which no other user may enter; `folder`, when one is given, is made.

    Every server begins with it: with TEST_SERVERS=0 the test that asks for one is skipped here.
    """
    if os.environ.get("TEST_SERVERS") == "0":
        import pytest

        pytest.skip(f"NOT TESTED, as TEST_SERVERS=0 says: it needs a server of {name}")
    if folder is None:
        return Path(tempfile.mkdtemp(prefix=f"{name}-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port() -> int:
    """Below the range of outgoing connections: none of them takes the port while its server is down."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
