"""Kills at random moments, and what must hold after each: the next synchronisation ends in parity, a reader never saw a
mixture, no lock is left. The tests repeat this a few times, the command many."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets_tests.faults.lake import NEW, OLD, version
from ai_stack_assets_tests.faults.stores import Subject, whole
from ai_stack_assets_tests.faults.worker import Worker


@dataclass
class Watch:
    """A reader that looks all the time. `told`: times that it was told to come again, which is no wrong answer."""

    subject: Subject
    looked: int = 0
    told: int = 0
    mixed: list[dict[str, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __enter__(self) -> Watch:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            try:
                seen = self.subject.seen()
                self.looked += 1
                if not whole(seen):
                    self.mixed.append(seen)
            except TransientError:
                self.told += 1
            except PermanentError as error:
                self.errors.append(str(error))
            self._done.wait(0.02)


@dataclass
class Tally:
    """Of many kills of one store."""

    injected: int = 0
    too_late: int = 0
    looked: int = 0
    told: int = 0
    mixed: list[dict[str, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    """Rows that differed from the lake after the next synchronisation."""
    states: list[str] = field(default_factory=list)
    """What readers had after each fault, before the next synchronisation."""


def killed(subject: Subject, times: int, seed: int = 1) -> Tally:
    """From one version to the other and back, killed on the way each time; then finished by the next."""
    return _repeated(subject, times, seed, lambda worker: worker.kill(), lambda: None)


def server_killed(subject: Subject, server: Any, times: int, seed: int = 1) -> Tally:
    """The same, but it is the server that dies, and is started again before the next synchronisation."""

    def kill(worker: Worker) -> bool:
        server.kill()
        return "done" not in worker.finish()

    return _repeated(subject, times, seed, kill, server.start)


def _repeated(
    subject: Subject, times: int, seed: int, kill: Callable[[Worker], bool], mend: Callable[[], None]
) -> Tally:
    versions = {word: version(subject.lake, word, subject.configuration) for word in (OLD, NEW)}
    subject.sync(versions[NEW])
    tally, moments = Tally(), random.Random(f"{subject.engine}{seed}")
    seconds = _seconds(subject, versions[OLD])
    now, then = OLD, NEW
    while tally.injected < times and tally.too_late < 3 * times:
        is_hit = _once(subject, versions[then], moments.uniform(0, seconds), kill, tally)
        seconds *= 1.0 if is_hit else 0.7  # the first measurement was of a cold engine
        mend()
        word = _word(subject)
        tally.states.append({now: "old", then: "new"}.get(word, word) + ("" if is_hit else " (done)"))
        report = subject.sync(versions[then])
        tally.lost += sum(len(d.added) + len(d.changed) + len(d.removed) for d in report.differences)
        tally.lost += len(subject.differences(versions[then]))
        now, then = then, now
    return tally


def _once(
    subject: Subject, wanted: Version, moment: float, kill: Callable[[Worker], bool], tally: Tally
) -> bool:
    worker = Worker(subject, wanted)
    with Watch(subject) as watch:
        worker.go()
        time.sleep(moment)
        is_hit = kill(worker)
    tally.injected += is_hit
    tally.too_late += not is_hit
    tally.looked, tally.told = tally.looked + watch.looked, tally.told + watch.told
    tally.mixed += watch.mixed
    tally.errors += watch.errors
    return is_hit


def _seconds(subject: Subject, wanted: Version) -> float:
    """How long a whole synchronisation takes in a process of its own."""
    worker = Worker(subject, wanted)
    started = time.monotonic()
    said = worker.finish()
    assert "done" in said, said
    return time.monotonic() - started


def _word(subject: Subject) -> str:
    """What readers see after a kill: one version, or that they are to come again."""
    try:
        seen = subject.seen()
    except (PermanentError, TransientError) as error:
        return type(error).__name__
    return next((word for word, count in seen.items() if count and whole(seen)), f"mixed {seen}")
