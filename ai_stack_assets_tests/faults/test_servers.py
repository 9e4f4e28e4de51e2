"""A server killed in the middle of a write and started again; one that stops answering; one that comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests import servers
from ai_stack_assets_tests.faults.conftest import options
from ai_stack_assets_tests.faults.lake import NEW, OLD, ROWS, version
from ai_stack_assets_tests.faults.stores import SERVERS, Subject, whole


@pytest.fixture(params=SERVERS, scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Any]]:
    """One of its own: it is killed."""
    with getattr(servers, request.param.removesuffix("_server"))() as started:
        yield request.param, started


@pytest.fixture
def store(server: tuple[str, Any], tmp_path: Path) -> Subject:
    engine, running = server
    running.start()
    return Subject(engine, str(tmp_path), options(engine, running), f"сбой-{tmp_path.name[-1]}")


def test_a_server_killed_in_a_write_has_the_old_version_and_the_next_run_ends_in_parity(
    server: tuple[str, Any], store: Subject
) -> None:
    old, new = (version(store.lake, word, store.configuration) for word in (OLD, NEW))
    store.sync(old)
    with pytest.raises(TransientError):
        _interrupted(store, new, "last", server[1].kill)
    server[1].start()
    assert store.seen() == {OLD: ROWS, NEW: 0}
    assert store.sync(new).differences == []
    assert store.differences(new) == {}
    assert whole(store.seen())


def _interrupted(store: Subject, wanted: Any, part: str, stop: Any) -> None:
    """Written to the end but not yet committed, or only one collection of it."""
    with store.client().open(store.configuration) as opened:
        found = [d for d in compare(opened, wanted) if not d.is_empty]
        with opened.transaction():
            for d in found if part == "last" else found[:1]:
                opened.upsert(wanted, d.collection, d.changed)
            stop()


def test_a_server_that_stops_answering_is_given_up_in_bounded_time(
    server: tuple[str, Any], store: Subject
) -> None:
    wanted = version(store.lake, OLD, store.configuration)
    store.sync(wanted)
    hasty = Subject(store.engine, store.folder, store.options | _HASTE[store.engine], store.configuration)
    server[1].pause()
    try:
        with pytest.raises(TransientError, match=r"_UR[LI]"):
            hasty.sync(wanted)
    finally:
        server[1].resume()
    assert store.differences(wanted) == {}


def test_a_server_that_stalls_in_the_middle_is_given_up_in_bounded_time(
    server: tuple[str, Any], store: Subject
) -> None:
    if store.engine == "neo4j_server":
        return  # its driver waits for as long as the server names: the next test names less than two minutes
    old, new = (version(store.lake, word, store.configuration) for word in (OLD, NEW))
    store.sync(old)
    hasty = Subject(store.engine, store.folder, store.options | _HASTE[store.engine], store.configuration)
    try:
        with pytest.raises(TransientError):
            _interrupted(hasty, new, "first", server[1].pause)
    finally:
        server[1].resume()
    assert store.sync(new).differences == []
    assert whole(store.seen())


_SHORT_WAIT = "server.bolt.connection_keep_alive=5s\nserver.bolt.connection_keep_alive_probes=1\n"


def test_a_neo4j_that_stalls_is_given_up_as_soon_as_it_has_named_and_the_next_run_repairs(
    tmp_path: Path,
) -> None:
    """Between two parts, and while a part is being sent."""
    with servers.neo4j(settings=_SHORT_WAIT) as server:
        store = Subject("neo4j_server", str(tmp_path), options("neo4j_server", server))
        versions = [version(store.lake, word) for word in (OLD, NEW)]
        store.sync(versions[0])
        hasty = Subject(
            store.engine, store.folder, store.options | _HASTE[store.engine] | {"retry_seconds": 2}
        )
        for stalls_in_sending in (False, True):
            wanted = versions[not stalls_in_sending]
            try:
                with pytest.raises(TransientError, match="NEO4J_URI"), hasty.client().open("сбой") as opened:
                    found = [d for d in compare(opened, wanted) if not d.is_empty]
                    with opened.transaction():
                        for d in found:
                            opened.upsert(wanted, d.collection, d.changed)
                        if stalls_in_sending:
                            opened._require_lock = server.pause
                        else:
                            server.pause()
            finally:
                server.resume()
            assert whole(store.seen())
            assert store.sync(wanted).differences == []
            assert whole(store.seen())


_HASTE: dict[str, dict[str, Any]] = {
    "postgres_server": {"connect_seconds": 2, "silence_seconds": 3},
    "neo4j_server": {"connect_seconds": 2},
    "elasticsearch_server": {"request_seconds": 2, "retries": 0},
}


def test_a_pause_shorter_than_the_limit_is_waited_out(server: tuple[str, Any], store: Subject) -> None:
    wanted = version(store.lake, OLD, store.configuration)
    store.sync(wanted)
    server[1].pause()
    resumed = threading.Timer(1.0, server[1].resume)
    resumed.start()
    try:
        assert synchronise_once(store, wanted) == 0
    finally:
        resumed.join()


def synchronise_once(store: Subject, wanted: Any) -> int:
    with store.client().open(store.configuration) as opened:
        return synchronise(opened, wanted).total("changed")


def test_a_server_that_is_away_is_transient_and_a_wrong_password_is_not(
    server: tuple[str, Any], store: Subject
) -> None:
    engine, running = server
    running.kill()
    try:
        with pytest.raises(TransientError, match=r"_UR[LI]"):
            Subject(engine, store.folder, store.options | _NO_PATIENCE.get(engine, {})).differences(
                version(store.lake, OLD)
            )
    finally:
        running.start()
    wrong = _WRONG_PASSWORD.get(engine)
    if wrong:
        with pytest.raises(PermanentError, match=r"POSTGRES_URL|NEO4J_PASSWORD"):
            Subject(engine, store.folder, wrong(store.options)).differences(version(store.lake, OLD))


_NO_PATIENCE: dict[str, dict[str, Any]] = {"elasticsearch_server": {"retries": 0}}
_WRONG_PASSWORD: dict[str, Any] = {
    "postgres_server": lambda given: {"url": given["url"].replace("postgres:", "postgres:wrong", 1)},
    "neo4j_server": lambda given: {**given, "password": "wrong"},
}
"""Elasticsearch's core server has no users: `integration` puts a gateway before it."""
