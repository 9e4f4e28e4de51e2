"""Writers of one configuration at once, and of two: in turn, or independent."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
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


def test_of_those_who_find_a_neo4j_free_at_once_one_writes_and_the_others_are_told_in_time(
    neo4j_server, tmp_path
) -> None:
    """The one who writes goes on until the others have given up."""
    from ai_stack_assets_tests.faults.conftest import options

    given = options("neo4j_server", neo4j_server) | {"lock_seconds": 1}
    store = Subject("neo4j_server", str(tmp_path), given, "дверь")
    at_once, told = threading.Barrier(4), threading.Semaphore(0)

    def write(_: int) -> str:
        at_once.wait()
        try:
            with store.client().open("дверь"):
                return "written" if all(told.acquire(timeout=120) for _ in range(3)) else "others still wait"
        except TransientError:
            told.release()
            return "told"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == ["told", "told", "told", "written"]
