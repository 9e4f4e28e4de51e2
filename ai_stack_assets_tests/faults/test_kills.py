"""SIGKILL to a process that synchronises, at random moments, while a reader looks."""

from __future__ import annotations

from ai_stack_assets_tests.faults.kills import killed
from ai_stack_assets_tests.faults.stores import Subject


def test_after_a_kill_at_any_moment_readers_saw_whole_versions_and_the_next_run_ends_in_parity(
    subject: Subject,
) -> None:
    tally = killed(subject, times=2)
    assert tally.injected == 2
    assert tally.mixed == []
    assert tally.errors == []
    assert tally.lost == 0
    assert tally.looked > 0
    assert {state.partition(" ")[0] for state in tally.states} <= {"old", "new"}
