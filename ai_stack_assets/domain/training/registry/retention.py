"""What is kept of runs and versions, and what goes. The champion, any version with an alias, and the one to roll back to stay."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry import aliases, runs
from ai_stack_assets.domain.training.registry.aliases import CHAMPION

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class Cleaned:
    """What was removed: run ids, and version numbers."""

    runs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


def cleanup(client: MlflowClient, model: str, experiment: str, uri: str, cache: Path, keep: int) -> Cleaned:
    """Remove runs beyond the newest `keep`, with their versions, models and files.

    Versions go first and runs last, so what is interrupted is found again. Rows of decisions stay.
    """
    if keep < 1:
        raise PermanentError(f"at least one run is kept, not {keep}")
    removed, versions = [], []
    champion = aliases.by_alias(client, model, CHAMPION)
    before = champion and aliases.previous(client, champion)
    protected = {each.run_id for each in (champion, before) if each}
    for run in runs.runs_of(client, experiment)[keep:]:
        run_id = run.info.run_id
        if run_id in protected or run.info.status == "RUNNING":
            continue
        found = client.search_model_versions(f"name = '{model}' AND run_id = '{run_id}'")
        # asked of each version at the last moment: an alias may have been given meanwhile
        if any(client.get_model_version(model, version.version).aliases for version in found):
            continue
        for version in found:
            client.delete_model_version(model, version.version)
            versions.append(str(version.version))
        _remove(client, run, uri, cache)
        removed.append(run_id)
    return Cleaned(tuple(removed), tuple(versions))


def _remove(client: MlflowClient, run: Run, uri: str, cache: Path) -> None:
    """The run's files, its model with files, and what is cached of it."""
    from mlflow.exceptions import MlflowException

    if model_id := run.data.tags.get(runs.MODEL_ID):
        with contextlib.suppress(MlflowException):  # gone already
            location = client.get_logged_model(model_id).artifact_location
            _delete_files(location, uri)
            client.delete_logged_model(model_id)
        shutil.rmtree(cache / model_id, ignore_errors=True)
    if run.info.artifact_uri:
        _delete_files(run.info.artifact_uri, uri)
    client.delete_run(run.info.run_id)


def _delete_files(location: str, uri: str) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with contextlib.suppress(FileNotFoundError):
        get_artifact_repository(location, tracking_uri=uri).delete_artifacts()
