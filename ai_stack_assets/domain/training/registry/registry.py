"""Which model of a task is in use, and how that changes: log, register, promote, roll back, clean up.

The alias `champion` in MLflow is the truth, moved by one request. Every decision is first written on its run, then carried out,
then recorded in PostgreSQL; whoever comes next finishes what was not (`settling`), so a process may die anywhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.training.registry import aliases, loading, retention, runs, settling
from ai_stack_assets.domain.training.registry.aliases import CHAMPION, Registered
from ai_stack_assets.domain.training.registry.decisions import Decisions, Row, Rows, Unreachable
from ai_stack_assets.domain.training.registry.packaging import Fit
from ai_stack_assets.domain.training.registry.settling import Desk
from ai_stack_assets.domain.training.registry.tracking import Tracking

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.contract import Evaluation, Model
    from ai_stack_assets.domain.training.evaluation.cost import Cost
    from ai_stack_assets.domain.training.evaluation.gates import Decision
    from ai_stack_assets.domain.training.registry.retention import Cleaned

__all__ = ["Fit", "Registered", "Registry", "Row"]
PREFIX = "bsl-"
"""Of experiments and registered models. A server is shared with others; two installations need two prefixes."""


def _now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """Methods take a task, or its name. They raise TransientError when MLflow or PostgreSQL is away, PermanentError when one of
    them refuses; the champion is then the one that it was."""

    def __init__(
        self,
        tracking: Tracking,
        decisions: Decisions,
        *,
        prefix: str = PREFIX,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.tracking, self.decisions, self._prefix, self._now = tracking, decisions, prefix, now

    def log(self, fit: Fit) -> str:
        """The run of this fit, with its parameters, data and model. Made once for each `fit.key`."""
        name = self.name(fit.task)
        with self.tracking.open() as client:
            return runs.log(client, self.tracking.experiment(client, name), name, fit)

    def log_evaluation(
        self,
        run_id: str,
        evaluation: Evaluation,
        baselines: Mapping[str, Evaluation],
        decision: Decision | None = None,
        card: str = "",
        cost: Cost | None = None,
    ) -> None:
        """Add to a run how good its model is."""
        with self.tracking.open() as client:
            runs.log_evaluation(client, run_id, evaluation, baselines, decision, card, cost)

    def apply(self, task: Any, run_id: str, decision: Decision) -> Row:
        """Carry a decision out: register the model and move an alias, as its outcome says, and record it.

        Repeating it changes nothing, not even after a rollback. What earlier runs left unfinished is finished first.

        Raises:
            PermanentError: MLflow refuses, or the model does not load: recorded as refused, the champion stays.
        """
        with self._desk(task) as desk:
            settling.settle(desk)
            settling.intend(desk, run_id, decision)
            settling.settle(desk)
            row = [
                row for row in desk.rows.all() if row.run_id == run_id and row.outcome == decision.outcome
            ][-1]
        if row.action == "refused":
            raise PermanentError(f"{desk.model}: {row.reason}")
        return row

    def register(self, task: Any, run_id: str) -> Registered:
        """The version of a run, without any alias."""
        with self.tracking.open() as client:
            run = client.get_run(run_id)
            card = run.data.tags.get("mlflow.note.content", "")
            return aliases.register(client, self.name(task), run, card)

    def promote(self, task: Any, version: str | int, *, reason: str = "", by: str = "") -> Row:
        """Make a version the champion by hand, whatever its gates said."""
        with self._desk(task) as desk:
            settling.settle(desk)
            target = aliases.by_version(desk.client, desk.model, str(version))
            if target is None:
                raise PermanentError(f"{desk.model} has no version {version}")
            return self._move(desk, target, "promoted", reason, by)

    def rollback(self, task: Any, *, reason: str = "", by: str = "") -> Row:
        """Make the champion before this one champion again; again, and it goes one further back.

        Works without PostgreSQL: its row is then written by the next run.
        """
        with self._desk(task, needs_rows=False) as desk:
            settling.settle(desk)
            champion = desk.champion
            if champion is None:
                raise PermanentError(f"{desk.model} has no champion: nothing to roll back")
            target = aliases.previous(desk.client, champion)
            if target is None:
                raise PermanentError(f"{desk.model} has no champion before version {champion.version}")
            return self._move(desk, target, "rolled_back", reason, by)

    def champion(self, task: Any) -> Registered | None:
        """The version in use; None when there is none."""
        return self.version(task, CHAMPION)

    def version(self, task: Any, alias: str) -> Registered | None:
        with self.tracking.open() as client:
            return aliases.with_metrics(client, aliases.by_alias(client, self.name(task), alias))

    def load(self, task: Any, alias: str = CHAMPION) -> Model:
        """`task`: the module. Raises PermanentError when no version has the alias, or its files are damaged."""
        registered = self.version(task, alias)
        if registered is None:
            raise PermanentError(f"{self.name(task)} has no {alias}")
        return task.load(loading.saved_model(self.files(registered)))

    def files(self, registered: Registered) -> Path:
        """The folder of a version on this machine, as MLflow loads it."""
        with self.tracking.open() as client:
            return loading.files(client, self._cache, self.tracking.uri, registered)

    def verify(self, registered: Registered) -> None:
        """Load it in a process of its own and compare what it answers with its signature. Raises PermanentError."""
        loading.verify(self.files(registered))

    def decisions_of(self, task: Any) -> list[Row]:
        """The oldest first."""
        return self.decisions.of(self.name(task))

    def overtaken(self, task: Any, key: str) -> int:
        """How often the model of this fit was let through by its gates and kept back, because another one had become champion
        since it was judged. `key`: of the fit."""
        name = self.name(task)
        with self.tracking.open() as client:
            run_id = runs.finished(client, self.tracking.experiment(client, name), key)
        rows = self.decisions.of(name) if run_id else []
        return sum(row.run_id == run_id and settling.was_overtaken(row) for row in rows)

    def cleanup(self, task: Any, *, keep: int = 20) -> Cleaned:
        """Remove all but the newest `keep` runs with their models; never a version with an alias, nor the one to roll back to."""
        with self._desk(task) as desk:
            settling.settle(desk)
            return retention.cleanup(
                desk.client, desk.model, desk.experiment, self.tracking.uri, self._cache, keep
            )

    def link(self, run_id: str) -> str:
        """The page of a run; empty for the embedded one, which has no address until somebody starts `mlflow ui`."""
        if self.tracking.is_embedded:
            return ""
        with self.tracking.open() as client:
            experiment = client.get_run(run_id).info.experiment_id
        # else its pages are those of language models until somebody switches them
        page = f"experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"
        return f"{self.tracking.url.rstrip('/')}/#/{page}"

    def name(self, task: Any) -> str:
        """Of its experiment and of its registered model."""
        return self._prefix + (task if isinstance(task, str) else task.NAME)

    @property
    def _cache(self) -> Path:
        return self.tracking.folder / "models"

    def _move(self, desk: Desk, target: Registered, action: Any, reason: str, by: str) -> Row:
        before, at = desk.champion, self._now()
        desk.verify(target)
        aliases.move(desk.client, target, before, action, reason, at, by)
        number = int(before.version) if before else None
        return desk.rows.add(settling.by_hand(desk.model, action, target, number, reason, at, by))

    @contextlib.contextmanager
    def _desk(self, task: Any, *, needs_rows: bool = True) -> Generator[Desk]:
        """Both systems open, and this model locked against other processes."""
        model = self.name(task)
        with contextlib.ExitStack() as stack:
            try:
                rows: Rows = stack.enter_context(self.decisions.locked(model))
            except (TransientError, PermanentError):
                if needs_rows:
                    raise
                rows = Unreachable()
            client = stack.enter_context(self.tracking.open())
            experiment = self.tracking.experiment(client, model)
            yield Desk(client, rows, model, experiment, self.tracking.place, self.verify, self._now)
