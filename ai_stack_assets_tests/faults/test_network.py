"""Connections that stall, are cut or refused, and servers that ask to be left alone: bounded waits, and an error that is
of the right kind and names the setting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError, retry_after
from ai_stack_assets.domain.stores.graph.server import Neo4jGraph
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.search import elasticsearch_errors
from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
from ai_stack_assets.domain.stores.vectors import server as qdrant
from ai_stack_assets.orchestration.failures import LONGEST_DELAY, seconds_to_wait
from ai_stack_assets_tests.faults.front import Refusing, cutting, silent

CLIENTS: dict[str, Callable[[int], Any]] = {
    "POSTGRES_URL": lambda port: Postgres(f"postgresql://me:secret@127.0.0.1:{port}/db", connect_seconds=2),
    "NEO4J_URI": lambda port: Neo4jGraph(f"bolt://127.0.0.1:{port}", password="secret", connect_seconds=1),
    "ELASTICSEARCH_URL": lambda port: Elasticsearch(
        f"http://me:secret@127.0.0.1:{port}", request_seconds=1, retries=0
    ),
    "QDRANT_URL": lambda port: qdrant.ServerEngine(f"http://127.0.0.1:{port}", "secret"),
}


@pytest.mark.parametrize("network", [silent, cutting])
@pytest.mark.parametrize("setting", CLIENTS)
def test_a_connection_that_stalls_or_is_cut_ends_soon_with_the_setting(
    setting: str, network: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant, "_TIMEOUT_SECONDS", 1)
    with network() as port, pytest.raises(TransientError, match=setting) as caught:
        CLIENTS[setting](port).configurations()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("setting", ["ELASTICSEARCH_URL", "QDRANT_URL"])
def test_what_a_busy_server_asks_for_reaches_the_step(setting: str, status: int) -> None:
    with Refusing(status, {"Retry-After": "120"}) as front, pytest.raises(TransientError) as caught:
        port = int(front.url.rpartition(":")[2])
        CLIENTS[setting](port).configurations()
    assert setting in str(caught.value)
    assert caught.value.retry_after == 120
    assert front.requests == 1, "a pause that long is left to the next try of the step"


def test_a_short_pause_is_made_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries, the pauses as asked for, then it is the step's turn."""
    pauses: list[float] = []
    monkeypatch.setattr(elasticsearch_errors.time, "sleep", pauses.append)
    with Refusing(429, {"Retry-After": "7"}) as front, pytest.raises(TransientError) as caught:
        Elasticsearch(front.url, retries=2).configurations()
    assert front.requests == 3
    assert pauses == [7, 7]
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("setting", ["ELASTICSEARCH_URL", "QDRANT_URL"])
def test_a_refusal_for_good_is_asked_for_once(setting: str, status: int) -> None:
    with Refusing(status, {}) as front, pytest.raises(PermanentError, match=setting.partition("_")[0]):
        CLIENTS[setting](int(front.url.rpartition(":")[2])).configurations()
    assert front.requests == 1


@pytest.mark.parametrize("setting", ["ELASTICSEARCH_URL", "QDRANT_URL", "NEO4J_URI"])
def test_a_server_without_encryption_is_no_case_for_another_try(setting: str) -> None:
    secure: dict[str, Callable[[str], Any]] = {
        "ELASTICSEARCH_URL": lambda address: Elasticsearch(f"https://{address}", retries=0),
        "QDRANT_URL": lambda address: qdrant.ServerEngine(f"https://{address}"),
        "NEO4J_URI": lambda address: Neo4jGraph(f"bolt+s://{address}", connect_seconds=2),
    }
    with Refusing(200, {}) as front, pytest.raises(PermanentError, match=setting):
        secure[setting](front.url.removeprefix("http://")).configurations()


def test_retry_after_is_a_number_or_a_date() -> None:
    assert retry_after({"retry-after": " 12 "}) == 12
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 60 < (retry_after({"Retry-After": later}) or 0) <= 90
    assert retry_after({"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_a_step_waits_as_long_as_it_is_asked_to_within_reason() -> None:
    assert [seconds_to_wait(TransientError("x"), tries) for tries in range(3)] == [2, 4, 8]
    assert seconds_to_wait(TransientError("x", 20), 1) == 20
    assert seconds_to_wait(TransientError("x", 1), 1) == 4
    assert seconds_to_wait(TransientError("x", 10**6), 0) == LONGEST_DELAY
