"""Git's commands, run so that nothing of a stranger's repository is executed, nobody is asked for a password, and no wait is
without an end. Their failures become ours: permanent or transient, without secrets.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.onec.sources import SourceSpec, without_credentials

_OPTIONS = (
    *(
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "safe.directory=*",
        "-c",
        "gc.auto=0",
    ),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20", "-c", "fetch.recurseSubmodules=false"),
)
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "http:https:ssh:git:file",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=accept-new"
_FOREIGN = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR"),
        *("NAMESPACE", "PREFIX", "SHALLOW_FILE", "GRAFT_FILE"),
    )
)
"""Set by a git around us (a hook, a worktree): they would turn our commands to its repository."""
_PASSWORD = re.compile(
    r"could not read (?:Username|Password)|terminal prompts disabled|Authentication failed|Access denied"
    r"|Permission denied \(|returned error: 40[13]|Invalid username or"
)
_UNTRUSTED = re.compile(r"Host key verification failed")
_DAMAGED = re.compile(r"repository corruption|bad object|unable to read [0-9a-f]{40}")
_NETWORK = re.compile(
    r"Could not resolve host|unable to look up|Temporary failure in name resolution|Connection (?:refused"
    r"|reset)|timed out|unreachable|early EOF|RPC failed|returned error: (?:429|5\d\d)|Operation too slow"
    r"|hung up|SSL_ERROR|gnutls_handshake|No route|Failed to connect|Couldn't connect|Empty reply"
    r"|[Rr]ecv failure"
)


def read_blobs(folder: Path, contents: dict[str, str]) -> Iterator[tuple[str, bytes | None]]:
    """Contents of blobs by path, one process for all. None for a blob that the repository in `folder` lacks."""
    with tempfile.TemporaryFile() as ids:
        ids.write("".join(f"{blob}\n" for blob in contents.values()).encode())
        ids.seek(0)
        command = ["git", *_OPTIONS, "cat-file", "--batch", "--buffer"]
        with subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdin=ids,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            stream = process.stdout
            assert stream is not None
            for path in contents:
                head = stream.readline().split()
                if len(head) != 3 or head[1] != b"blob":
                    yield path, None
                    continue
                yield path, stream.read(int(head[2]))
                stream.read(1)


def run_git(
    arguments: Sequence[str],
    folder: Path,
    seconds: float,
    spec: SourceSpec,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    under: Sequence[str] = (),
) -> bytes:
    """Output of one git command. Its failures become ours: permanent or transient, without secrets.

    Args:
        environment: what git shall see beside ours; a place for secrets, as arguments are seen by all users.
        under: the beginning of a command that takes git's as its end, to limit it.
    """
    try:
        process = subprocess.Popen(
            [*under, "git", *_OPTIONS, *arguments],
            cwd=folder,
            env={**_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise PermanentError("git is not installed: install it, or give a folder or a .zip file") from error
    try:
        output, errors = process.communicate(timeout=seconds)
    except BaseException as error:
        # git's helpers (ssh, remote-https) outlive it otherwise
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TransientError(f"{spec.uri}: no answer in {seconds:.0f} s (git {arguments[0]})") from error
        raise
    if process.returncode:
        raise _failure(spec, arguments[0], errors.decode(errors="replace"))
    return output


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**own, **_ENVIRONMENT, "GIT_SSH_COMMAND": own.get("GIT_SSH_COMMAND", _SSH)}


def _failure(spec: SourceSpec, command: str, errors: str) -> PermanentError | TransientError:
    said = without_credentials(" ".join(errors.split()))[-400:]
    if _PASSWORD.search(errors):
        return PermanentError(
            f"{spec.uri} does not exist or needs a password, and none is asked for here: give access by an"
            f" SSH key or a git credential helper. Git says: {said}"
        )
    if _UNTRUSTED.search(errors):
        return PermanentError(f"{spec.uri}: the server's SSH key is not the known one. Git says: {said}")
    if _DAMAGED.search(errors):
        return PermanentError(
            f"{spec.uri} lacks objects of its own; give its path if it is local. Git says: {said}"
        )
    if _NETWORK.search(errors):
        return TransientError(f"{spec.uri} cannot be reached now. Git says: {said}")
    return PermanentError(f"{spec.uri}: git {command} failed. Git says: {said}")
