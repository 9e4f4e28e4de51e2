"""The same faults as the tests, many times: prints a row of the table a store and fault, as Markdown.

    python -m ai_stack_assets_tests.faults kills|servers|hand|runs [TIMES] [ENGINE …]

kills: SIGKILL to a synchronising process at random moments; servers: SIGKILL to the server in the middle, then a restart;
hand: 100 random rows deleted or edited; runs: SIGKILL to a step, to the run's process, to the whole process group.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

from ai_stack_assets_tests import servers
from ai_stack_assets_tests.faults.conftest import options
from ai_stack_assets_tests.faults.hand import damage, ids
from ai_stack_assets_tests.faults.kills import Tally, killed, server_killed
from ai_stack_assets_tests.faults.lake import OLD, version
from ai_stack_assets_tests.faults.stores import EMBEDDED, SERVERS, Subject


@contextlib.contextmanager
def opened(engine: str) -> Generator[tuple[Subject, servers.PostgresServer | None]]:
    """An empty store of this engine, with its server when it has one."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True)
        )
        Path(folder).chmod(0o755)
        if engine not in SERVERS:
            yield Subject(engine, folder), None
            return
        server = stack.enter_context(getattr(servers, engine.removesuffix("_server"))())
        yield Subject(engine, folder, options(engine, server)), server


def kills(engine: str, times: int) -> str:
    with opened(engine) as (subject, _):
        return _told(killed(subject, times))


def restarts(engine: str, times: int) -> str:
    with opened(engine) as (subject, server):
        assert server, f"{engine} has no server"
        return _told(server_killed(subject, server, times))


def _told(tally: Tally) -> str:
    return (
        f"{tally.injected} ({tally.too_late} too late) | lost {tally.lost} | readers looked {tally.looked} times: "
        f"{len(tally.mixed)} mixed, {tally.told} told to come again, {len(tally.errors)} errors | after the fault: "
        + ", ".join(f"{word} {tally.states.count(word)}" for word in sorted(set(tally.states)))
    )


def hand(engine: str, times: int) -> str:
    named = repaired = 0
    with opened(engine) as (subject, _):
        wanted = version(subject.lake, OLD)
        subject.sync(wanted)
        for seed in range(times):
            deleted, edited = damage(subject, wanted, 100, seed)
            found = subject.differences(wanted)
            named += len(ids(found, "added") & deleted) + len(ids(found, "changed") & edited)
            report = subject.sync(wanted)
            repaired += sum(report.total(what) for what in ("added", "changed", "removed"))
            assert not subject.differences(wanted)
    return f"{times} x 100 rows | named {named} | written {repaired} | left 0"


def runs(victim: str, times: int) -> str:
    from ai_stack_assets_tests.faults.test_runs import SAMPLE, Run, kill_once

    moments = random.Random(victim)
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)
            shutil.copytree(SAMPLE, Path(folder) / "trade")
            listed = "configurations:\n  - {name: trade, source: trade}\n"
            (Path(folder) / "configurations.yaml").write_text(listed)
            kill_once(Run(Path(folder)), victim, moments.uniform(0.5, 15))
    return f"{times} | lost 0, nothing to do in the run after the next"


FAULTS: dict[str, tuple[Callable[[str, int], str], tuple[str, ...]]] = {
    "kills": (kills, (*EMBEDDED, *SERVERS)),
    "servers": (restarts, SERVERS),
    "hand": (hand, (*EMBEDDED, *SERVERS)),
    "runs": (runs, ("step", "worker", "group")),
}


def main(fault: str, times: str = "20", *wanted: str) -> None:
    inject, all_of_them = FAULTS[fault]
    for name in wanted or all_of_them:
        started = time.monotonic()
        print(
            f"| {fault} | {name} | {inject(name, int(times))} | {time.monotonic() - started:.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
