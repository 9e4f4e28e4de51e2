"""A hundred random rows deleted or edited by somebody else, their stored hashes kept: parity names them, repair
restores just them."""

from __future__ import annotations

from ai_stack_assets_tests.faults.hand import damage, ids
from ai_stack_assets_tests.faults.lake import OLD, version
from ai_stack_assets_tests.faults.stores import Subject


def test_a_hundred_damaged_rows_are_named_and_just_they_are_written(subject: Subject) -> None:
    wanted = version(subject.lake, OLD, subject.configuration)
    subject.sync(wanted)
    deleted, edited = damage(subject, wanted, rows=100, seed=1)

    found = subject.differences(wanted)
    assert ids(found, "added") == deleted
    assert ids(found, "changed") == edited
    assert ids(found, "removed") == set()

    report = subject.sync(wanted)
    assert (report.total("added"), report.total("changed"), report.total("removed")) == (50, 50, 0)
    assert report.differences == []
    assert subject.differences(wanted) == {}
