"""A registry on MLflow and PostgreSQL, embedded or on servers; and how the tests make models of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from ai_stack_assets.domain.stores.postgres import embedded
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.training.evaluation.cost import Cost
from ai_stack_assets.domain.training.evaluation.gates import Decision, Limits, decide
from ai_stack_assets.domain.training.evaluation.model_card import model_card
from ai_stack_assets.domain.training.registry.decisions import Decisions
from ai_stack_assets.domain.training.registry.packaging import Fit
from ai_stack_assets.domain.training.registry.registry import Registry
from ai_stack_assets.domain.training.registry.tracking import Tracking
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.servers.mlflow import MlflowServer, mlflow

EXAMPLES = tiny.examples()
INPUTS = EXAMPLES.select(["lines", "module"])
GOOD, BETTER, BEST, WORSE, BAD = 8, 9, 10, 12, 15
"""Levels: accuracy 0.9, 0.95, 1.0, 0.9 (long ones are missed), 0.75."""


@dataclass
class Workshop:
    """Fits, judges and applies models of the tiny task, as the pipeline does."""

    registry: Registry
    folder: Path

    def fit(self, level: int, key: str = "") -> Fit:
        folder = self.folder / f"level-{level}"
        folder.mkdir(exist_ok=True)
        tiny.Tiny(level).save(folder)
        facts = {"dataset": "2026-01-04/abc", "rows": {"train": 31}, "week": "2026-01-04"}
        return Fit(tiny, folder, INPUTS.slice(0, 5), {"level": level}, facts, 7, 1.5, key, "c0ffee")

    def judged(self, level: int) -> tuple[str, Decision]:
        """A logged run and what its gates say, against whatever is champion now."""
        run = self.registry.log(self.fit(level))
        own, baselines = tiny.evaluate(tiny.Tiny(level), EXAMPLES), tiny.baselines(None, EXAMPLES)
        champion = self.registry.champion(tiny)
        other = champion and tiny.evaluate(self.registry.load(tiny), EXAMPLES)
        decision = decide(
            own,
            other,
            Limits(target=1.0),
            metric="accuracy",
            baselines=baselines,
            against=champion and champion.version,
        )
        card = model_card(
            tiny,
            facts={},
            parameters={"level": level},
            evaluation=own,
            baselines=baselines,
            decision=decision,
        )
        self.registry.log_evaluation(run, own, baselines, decision, card, Cost(1, 1_000, 0.1))
        return run, decision

    def made(self, level: int):
        """A row of a model that was fitted, judged and applied."""
        return self.registry.apply(tiny, *self.judged(level))

    @property
    def in_use(self) -> int | None:
        """The level of the champion, by its files; None when there is none."""
        return self.registry.load(tiny).level if self.registry.champion(tiny) else None

    @property
    def history(self) -> list[tuple[str, int | None, int | None]]:
        """Of the decisions: action, version, version in use afterwards."""
        return [(row.action, row.version, row.champion_after) for row in self.registry.decisions_of(tiny)]


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Postgres:
    return Postgres(embedded.serve(tmp_path_factory.mktemp("registry") / "pg"))


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory) -> Path:
    """Its tables take two seconds to make: they are made once."""
    folder = tmp_path_factory.mktemp("mlflow") / "mlflow"
    with Tracking(folder).open():
        return folder


@pytest.fixture(scope="session")
def mlflow_server() -> Iterator[MlflowServer]:
    with mlflow() as server:
        yield server


@pytest.fixture
def decisions(database) -> Decisions:
    with database.connected() as connection:
        connection.execute("DELETE FROM ml.model_registry")
    return Decisions(database)


@pytest.fixture
def workshop(tmp_path, empty_mlflow, decisions) -> Workshop:
    shutil.copytree(empty_mlflow, tmp_path / "mlflow")
    return Workshop(Registry(Tracking(tmp_path / "mlflow"), decisions), tmp_path)


@pytest.fixture
def quick(monkeypatch):
    """A model is not loaded in a process of its own before it becomes champion: that takes seconds, and is tested apart."""
    monkeypatch.setattr(Registry, "verify", lambda *_: None)


@pytest.fixture
def on_server(tmp_path, mlflow_server, decisions) -> Workshop:
    """Each test has models of its own there."""
    mlflow_server.start()
    tracking = Tracking(tmp_path / "mlflow", mlflow_server.url)
    return Workshop(Registry(tracking, decisions, prefix=f"{uuid4().hex}-"), tmp_path)
