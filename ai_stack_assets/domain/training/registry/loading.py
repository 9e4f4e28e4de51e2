"""Registered models as files on this machine, and whether they load as they would elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry import served

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from ai_stack_assets.domain.training.registry.aliases import Registered

SECONDS = 300
_CHECK = """
import json, sys
import mlflow.pyfunc
from mlflow.models import Model
folder = sys.argv[1]
example = Model.load(folder).load_input_example(folder)
predicted = mlflow.pyfunc.load_model(folder).predict(example)
wanted = Model.load(folder).signature.outputs.input_names()
if list(predicted.columns) != wanted or len(predicted) != len(example):
    sys.exit(f"it answers {len(predicted)} rows of {list(predicted.columns)}, not {len(example)} of {wanted}")
"""


def files(client: MlflowClient, cache: Path, uri: str, registered: Registered) -> Path:
    """Its folder, with `MLmodel`: where MLflow keeps it on this disk, else a copy in `cache`, made once.

    Raises PermanentError when there is no such folder or it is empty. `uri`: of MLflow.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.utils.file_utils import local_file_uri_to_path

    location = client.get_logged_model(registered.model_id).artifact_location
    if location.startswith("file:"):
        folder = Path(local_file_uri_to_path(location))
    else:
        folder = cache / registered.model_id
        if not folder.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as draft:
                download_artifacts(artifact_uri=location, dst_path=draft, tracking_uri=uri)
                _put(Path(draft), folder)
    if not (folder / "MLmodel").exists():
        raise PermanentError(f"the files of {registered.uri} are gone or not whole: no MLmodel in {folder}")
    return folder


def saved_model(folder: Path) -> Path:
    """Within a model's folder what `Model.save` wrote."""
    return next(folder.glob(f"data/*/{served.MODEL}"), folder / "data" / "task" / served.MODEL)


def verify(folder: Path) -> None:
    """Load the model in a process of its own from what is shipped with it, and let it predict its input example.

    Raises PermanentError with what that process said. Four seconds, most of them the import of mlflow.
    """
    # -I: neither the folder it starts in nor PYTHONPATH, and the shipped modules come before installed ones;
    # -B: no byte code beside the files
    command = [sys.executable, "-IB", "-c", _CHECK, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=folder)
    except subprocess.TimeoutExpired:
        raise PermanentError(f"the model in {folder} does not load and predict within {SECONDS} s") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise PermanentError(f"the model in {folder} does not load: {said}")


def _put(draft: Path, folder: Path) -> None:
    """Whole or not at all; the first of two that downloaded it wins."""
    inner = next(draft.rglob("MLmodel")).parent if any(draft.rglob("MLmodel")) else draft
    try:
        shutil.copytree(inner, ready := folder.with_name(f"{folder.name}.{draft.name}"))
        ready.rename(folder)
    except OSError:
        if not folder.exists():
            raise
