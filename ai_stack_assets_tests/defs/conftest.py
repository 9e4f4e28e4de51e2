"""Fixtures that more than one module of tests of definitions uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.registry import loading
from ai_stack_assets.orchestration import failures
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import PostgresResource
from ai_stack_assets_tests.defs.trainings import TINY, configure, write_dataset
from ai_stack_assets_tests.platform import Platform


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Data folder of one MLflow and one PostgreSQL for all tests: each has models of its own name."""
    return str(tmp_path_factory.mktemp("servers"))


@pytest.fixture
def training(
    platform: Platform, servers: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Platform]:
    """A week's dataset, tiny tasks, one of them on; nothing waits before it tries again, no model is loaded in a process
    of its own (that is the registry's test)."""
    monkeypatch.setattr(failures, "seconds_to_wait", lambda *_: 0)
    monkeypatch.setattr(loading, "verify", lambda _: None)
    postgres = PostgresResource(data=servers)
    platform.replaced["mlflow"] = MlflowResource(data=servers, postgres=postgres, prefix=f"{tmp_path.name}-")
    monkeypatch.setattr(tasks, "MODULES", {name: f"{TINY}.{name}" for name in tasks.NAMES})
    write_dataset(platform)
    configure(platform)
    yield platform
