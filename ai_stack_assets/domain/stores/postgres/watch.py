"""Gives up a server that has stopped answering. Its kernel still acknowledges what is sent, so TCP's own keep-alive sees
nothing, and a statement timeout is kept by the very server that stands still."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection


@contextlib.contextmanager
def watched(connection: Connection, connect: Callable[[], Connection], seconds: float) -> Generator[None]:
    """Closes the connection under whoever waits for it once new connections have had no answer for so long.

    A statement may take its time: the question is whether the server answers anybody.
    """
    line = socket.socket(fileno=os.dup(connection.fileno()))
    done = threading.Event()

    def watch() -> None:
        answered_at = time.monotonic()
        while not done.wait(seconds / 3):
            if _answers(connect):
                answered_at = time.monotonic()
            elif time.monotonic() - answered_at > seconds:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        line.close()


def _answers(connect: Callable[[], Connection]) -> bool:
    """A refusal is an answer too."""
    import psycopg

    try:
        connect().close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error:
        return True
    return True
