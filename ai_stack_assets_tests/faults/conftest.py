"""The stores that faults are injected into: the embedded ones in the test's folder, the servers of the session."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets_tests import conftest
from ai_stack_assets_tests.faults.stores import EMBEDDED, SERVERS, Subject

_NUMBER = itertools.count(1)
LEASE_SECONDS = 10.0
"""A third of the real one. Shorter, and a loaded machine loses it: it is renewed every third of that."""


def options(engine: str, server: Any) -> dict[str, Any]:
    """Address and password, and what makes a test short."""
    if engine == "postgres_server":
        return {"url": server.create_database(f"faults{next(_NUMBER)}")}
    if engine == "neo4j_server":
        return {"uri": server.url, "user": server.user, "password": server.password}
    return {"url": server.url, "lease_seconds": LEASE_SECONDS}


@pytest.fixture(params=[*EMBEDDED, *(SERVERS if conftest.SERVERS else ())])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each of the seven stores, empty; of the four embedded ones with TEST_SERVERS=0."""
    engine: str = request.param
    given = options(engine, request.getfixturevalue(engine)) if engine in SERVERS else {}
    return Subject(engine, str(tmp_path), given, f"сбой{next(_NUMBER)}")


@pytest.fixture(params=EMBEDDED)
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each of the four embedded stores, empty."""
    return Subject(request.param, str(tmp_path))
