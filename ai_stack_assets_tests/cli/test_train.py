"""`train`, `rollback`: what is asked of them before anything runs, and what they leave for others to see."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from ai_stack_assets.cli import train
from ai_stack_assets.domain.training.registry.aliases import Registered
from ai_stack_assets.domain.training.registry.decisions import Row
from ai_stack_assets.orchestration import keys

WEEK = "2026-11-15"


class Said:
    """A terminal."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


class RolledBack:
    """A registry that goes back from version 2 to version 1."""

    def rollback(self, task: str, *, reason: str, by: str) -> Row:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        return Row(
            "1", f"bsl-{task}", "rolled_back", at, 2, 1, reason, version=1, run_id="run", decided_by=by
        )

    def champion(self, task: str) -> Registered:
        return Registered(f"bsl-{task}", "1", "run", "m-1", {"week": WEEK})


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    @contextlib.contextmanager
    def registry() -> Iterator[Any]:
        yield RolledBack()

    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(train, "open_instance", lambda: contextlib.nullcontext(instance))
        monkeypatch.setattr(train, "_registry", registry)
        yield instance


@pytest.mark.parametrize("task", ["embeddings", "classifier"])
def test_a_rollback_is_seen_on_the_asset_of_the_registered_model(instance, task) -> None:
    terminal = Said()
    assert train.rollback(argparse.Namespace(task=task, reason="complaints"), terminal) == 0

    assert terminal.lines == [f"{task}: version 1 is in use again, not 2"]
    event = instance.get_latest_materialization_event(keys.REGISTERED[task])
    made = event.asset_materialization
    said = {name: value.value for name, value in made.metadata.items()}
    assert (made.partition, said["action"], said["champion"]) == (WEEK, "rolled_back", "1")
    assert (said["champion_before"], said["reason"], said["uri"]) == (
        "2",
        "complaints",
        f"models:/bsl-{task}/1",
    )


def test_a_rollback_of_the_embeddings_is_news_for_what_is_made_by_them(instance) -> None:
    train.rollback(argparse.Namespace(task="classifier", reason=""), Said())
    assert not instance.fetch_observations(keys.CHAMPION, limit=1).records
    train.rollback(argparse.Namespace(task="embeddings", reason=""), Said())
    [record] = instance.fetch_observations(keys.CHAMPION, limit=2).records
    assert record.asset_observation.tags["dagster/data_version"] == "1-run"


def test_a_day_that_begins_no_week_is_refused_before_anything_runs(instance, monkeypatch) -> None:
    monkeypatch.setattr(train, "execute", lambda *_, **__: pytest.fail("it runs"))
    options = argparse.Namespace(week="2026-11-16", task=[], search=False, force=False)
    with pytest.raises(ValueError, match="2026-11-16 is not a week: they begin on Sundays"):
        train.train(options, Said())
