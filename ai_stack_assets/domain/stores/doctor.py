"""Whether each store could do its work now: reachable, of a version that is supported, with the rights it needs, its
schema current. What is asked of an engine is in its own `diagnosis`; here: all at once, bounded, and in words.

A look at one thing yields `(step, what was found)` in the order of its steps, and raises at the first that is wrong:
the error says which setting to change, and the steps after it are not tried.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

STEPS = ("reachable", "version", "rights", "schema")
SECONDS = 60.0
"""For all looks together, which run at the same time: an embedded PostgreSQL may have to recover first."""

Findings = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Look:
    """`settings` are named when it hangs."""

    name: str
    settings: str
    run: Callable[[], Findings]
    steps: tuple[str, ...] = STEPS


@dataclass(frozen=True)
class Finding:
    step: str
    is_good: bool
    said: str


@dataclass
class Diagnosis:
    name: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_healthy(self) -> bool:
        return all(finding.is_good for finding in self.findings)

    @property
    def problem(self) -> str:
        """What is wrong, empty when nothing is."""
        return "; ".join(f"{f.step}: {f.said}" for f in self.findings if not f.is_good)


def examine(looks: Sequence[Look], seconds: float = SECONDS) -> list[Diagnosis]:
    """All of them, at the same time, also when one hangs: that one is given up after `seconds`."""
    found = {look.name: Diagnosis(look.name) for look in looks}
    threads = {
        look.name: threading.Thread(target=_take, args=(look, found[look.name]), daemon=True)
        for look in looks
    }
    until = time.monotonic() + seconds
    for thread in threads.values():
        thread.start()
    results = []
    for look in looks:
        threads[look.name].join(max(0.0, until - time.monotonic()))
        # a copy: what hangs may still end, and would add to it
        result = Diagnosis(look.name, list(found[look.name].findings))
        if threads[look.name].is_alive():
            said = f"no answer within {seconds:g} s: check {look.settings}"
            result.findings.append(Finding(_next(look, result), False, said))
        results.append(result)
    return results


def looks_at(name: str, open_client: Callable[[], Any], place: str, settings: str) -> Look:
    """At a store by the name of its resource. `place`: where it is, for people."""

    def run() -> Findings:
        client = open_client()
        yield from _examiner(name)(client)

    return Look(f"{name} ({place})", settings, run)


def _examiner(name: str) -> Callable[[Any], Findings]:
    from ai_stack_assets.domain.stores.graph.diagnosis import diagnose as graph
    from ai_stack_assets.domain.stores.postgres.diagnosis import diagnose as postgres
    from ai_stack_assets.domain.stores.search.diagnosis import diagnose as search
    from ai_stack_assets.domain.stores.vectors.diagnosis import diagnose as vectors

    return {"postgres": postgres, "graph": graph, "search": search, "vectors": vectors}[name]


def _take(look: Look, found: Diagnosis) -> None:
    from ai_stack_assets.domain.common.failures import PermanentError, TransientError

    try:
        for step, said in look.run():
            found.findings.append(Finding(step, True, said))
    except (PermanentError, TransientError) as error:
        found.findings.append(Finding(_next(look, found), False, str(error)))
    except Exception as error:  # a doctor never dies of an illness that nobody foresaw
        said = f"{type(error).__name__}: {error} (check {look.settings})"
        found.findings.append(Finding(_next(look, found), False, said))


def _next(look: Look, found: Diagnosis) -> str:
    done = {finding.step for finding in found.findings}
    return next((step for step in look.steps if step not in done), look.steps[-1])
