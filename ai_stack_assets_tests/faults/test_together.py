"""Writers of one configuration at once, and of two: in turn, or independent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets_tests.faults.kills import Watch
from ai_stack_assets_tests.faults.lake import NEW, OLD, version
from ai_stack_assets_tests.faults.stores import Subject, whole
from ai_stack_assets_tests.faults.worker import Worker


def test_two_writers_of_one_configuration_take_turns_and_readers_see_whole_versions(subject: Subject) -> None:
    old, new = (version(subject.lake, word, subject.configuration) for word in (OLD, NEW))
    subject.sync(old)
    workers = [Worker(subject, new) for _ in range(2)]
    with Watch(subject) as watch:
        for worker in workers:
            worker.go()
        said = [worker.finish() for worker in workers]
    reports = [json.loads(text.partition("done ")[2] or "null") for text in said]
    assert all(reports), said
    assert [report["left"] for report in reports] == [0, 0]
    assert min(report["changed"] for report in reports) == 0, "the second one found nothing to do"
    assert watch.mixed == []
    assert watch.errors == []
    assert subject.differences(new) == {}
    assert whole(subject.seen())


def test_two_configurations_are_written_at_once_without_a_trace_of_each_other(subject: Subject) -> None:
    other = replace(subject, configuration=f"{subject.configuration}-другая")
    old, new = (
        version(subject.lake, OLD, subject.configuration),
        version(other.lake, NEW, other.configuration),
    )
    workers = [Worker(subject, old), Worker(other, new)]
    for worker in workers:
        worker.go()
    said = [worker.finish() for worker in workers]
    assert all("done" in text for text in said), said
    assert subject.differences(old) == {} and other.differences(new) == {}
    assert subject.seen()[NEW] == 0 and other.seen()[OLD] == 0


@pytest.mark.parametrize("engine", ["postgres_server", "neo4j_server", "elasticsearch_server"])
def test_a_server_keeps_a_second_writer_out_and_says_so(engine: str, request, tmp_path) -> None:
    from ai_stack_assets_tests.faults.conftest import options

    given = options(engine, request.getfixturevalue(engine)) | {"lock_seconds": 1}
    store = Subject(engine, str(tmp_path), given, "занято")
    with store.client().open("занято"), pytest.raises(TransientError), store.client().open("занято"):
        pass
    with store.client().open("занято"):
        pass
