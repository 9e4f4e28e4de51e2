"""Versions of a registered model and which of them is in use: reading, registering, moving an alias. Who decides: `registry`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry.runs import HOST, MODEL_ID, PROCESS

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
REPLACED, MOVED, PROMOTED_AT = "replaced", "moved", "promoted_at"
"""Tags of a version: the champions before it, the last one first; what is about to be done with it; when it became champion."""
_REMEMBERED = 50
"""Champions before the present one: a tag has room for more, and cleaning up leaves fewer."""
_OF_THE_RUN = ("decision", HOST, PROCESS)
"""Tags that say nothing about the model."""
_MAX_DESCRIPTION = 5_000
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")
"""An alias that is not there is an invalid parameter."""


@dataclass(frozen=True)
class Registered:
    """One version of a registered model. `tags` carry the data revision, the commit and what the gates said."""

    model: str
    version: str
    run_id: str
    model_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of its run."""

    @property
    def uri(self) -> str:
        return f"models:/{self.model}/{self.version}"


def by_alias(client: MlflowClient, model: str, alias: str) -> Registered | None:
    """None when no version has the alias, or there is no such model yet."""
    return _found(lambda: client.get_model_version_by_alias(model, alias))


def by_version(client: MlflowClient, model: str, version: str) -> Registered | None:
    return _found(lambda: client.get_model_version(model, version))


def by_run(client: MlflowClient, model: str, run_id: str) -> Registered | None:
    found = client.search_model_versions(f"name = '{model}' AND run_id = '{run_id}'")
    return _registered(found[0]) if found else None


def with_metrics(client: MlflowClient, registered: Registered | None) -> Registered | None:
    """The same with the metrics of its run."""
    return registered and replace(registered, metrics=dict(client.get_run(registered.run_id).data.metrics))


def register(client: MlflowClient, model: str, run: Run, card: str) -> Registered:
    """The version of this run, made when there is none. Raises PermanentError for a run without a whole model."""
    from mlflow.exceptions import MlflowException

    if there := by_run(client, model, run.info.run_id):
        return there
    model_id = run.data.tags.get(MODEL_ID)
    if run.info.status != "FINISHED" or not model_id:
        raise PermanentError(f"run {run.info.run_id} of {model} has no whole model: it is {run.info.status}")
    try:
        client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {
        name: value
        for name, value in run.data.tags.items()
        if not name.startswith("mlflow.") and name not in _OF_THE_RUN
    }
    made = client.create_model_version(
        model,
        # its place, not models:/…, which the embedded registry would look for in MLflow's global store
        client.get_logged_model(model_id).artifact_location,
        run_id=run.info.run_id,
        tags=tags,
        description=card[:_MAX_DESCRIPTION],
        model_id=model_id,
    )
    return _registered(made)


def move(
    client: MlflowClient,
    target: Registered,
    before: Registered | None,
    action: str,
    reason: str,
    at: datetime,
    by: str = "",
) -> None:
    """Make `target` the champion: what is about to happen is written first, then one request does it.

    Which champions were before it goes along, so that after a rollback the next one goes further back.
    """
    if before and before.version == target.version:
        return
    said = {"action": action, "from": before and before.version, "reason": reason, "by": by}
    client.set_model_version_tag(target.model, target.version, MOVED, json.dumps(said, ensure_ascii=False))
    succeed(client, target, before, is_back=action != "promoted")
    client.set_registered_model_alias(target.model, CHAMPION, target.version)
    client.set_model_version_tag(target.model, target.version, PROMOTED_AT, at.isoformat())
    challenger = by_alias(client, target.model, CHALLENGER)
    if challenger and challenger.version == target.version:
        client.delete_registered_model_alias(target.model, CHALLENGER)


def succeed(
    client: MlflowClient, target: Registered, before: Registered | None, *, is_back: bool = False
) -> None:
    """Write which champions `target` has before it: `before` and those before that one; on the way back, what is left of them."""
    known = forerunners(before) if before else []
    if is_back:
        known = known[known.index(target.version) + 1 :]
    elif before:
        known = [before.version, *known][:_REMEMBERED]
    if known != forerunners(target):
        client.set_model_version_tag(target.model, target.version, REPLACED, " ".join(known))


def forerunners(champion: Registered) -> list[str]:
    """Versions that were champion before it, the last one first; some may be deleted by now."""
    return champion.tags.get(REPLACED, "").split()


def previous(client: MlflowClient, champion: Registered) -> Registered | None:
    """The last champion before this one that still exists."""
    others = (version for version in forerunners(champion) if version != champion.version)
    return next(filter(None, (by_version(client, champion.model, version) for version in others)), None)


def _found(ask: Callable[[], ModelVersion]) -> Registered | None:
    """None when MLflow says that there is no such version."""
    from mlflow.exceptions import MlflowException

    try:
        return _registered(ask())
    except MlflowException as error:
        if error.error_code in _MISSING:
            return None
        raise


def _registered(version: ModelVersion) -> Registered:
    tags = dict(version.tags)
    model_id = version.model_id or tags.get(MODEL_ID, "")
    return Registered(version.name, str(version.version), version.run_id or "", model_id, tags)
