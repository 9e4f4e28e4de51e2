"""Opens MLflow: a server by URL, or SQLite and a folder of this machine. What is written there: the modules beside.

<data>/mlflow/mlflow.db                    runs, parameters, metrics, versions, aliases
<data>/mlflow/artifacts/<experiment>/      models, cards, pictures
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry.failures import SETTING, translated

if TYPE_CHECKING:
    from mlflow import MlflowClient

RETRIES, SECONDS = 3, 30
"""Of one request: MLflow's own (7 and 120 s, back-off doubling) would keep a step on a dead server for minutes."""
SQLITE = "mlflow.db"


@dataclass(frozen=True)
class Tracking:
    """`url` empty: embedded, in `folder`. A server authenticates as MLflow's own variables say (MLFLOW_TRACKING_TOKEN, …)."""

    folder: Path
    url: str = ""

    @property
    def uri(self) -> str:
        return self.url or f"sqlite:///{self.folder.absolute() / SQLITE}"

    @property
    def is_embedded(self) -> bool:
        return not self.url

    @property
    def place(self) -> str:
        """For messages: without the user and the password that a URL may carry."""
        if not self.url:
            return str(self.folder)
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextlib.contextmanager
    def open(self) -> Generator[MlflowClient]:
        """A client of tracking and registry. Errors inside the block are `TransientError` and `PermanentError`."""
        if self.url and urlsplit(self.url).scheme not in ("http", "https"):
            raise PermanentError(f"{SETTING} is http://host:port or https://host, not {self.place!r}")
        _settle_down()
        with translated(self.place):
            yield self._client

    @cached_property
    def _client(self) -> MlflowClient:
        from filelock import FileLock
        from mlflow import MlflowClient

        if self.url:
            return MlflowClient(self.uri, self.uri)
        self.folder.mkdir(parents=True, exist_ok=True)
        # several fits begin at once: one of them makes the tables
        with FileLock(self.folder / "schema.lock"):
            client = MlflowClient(self.uri, self.uri)
            client.search_experiments(max_results=1)
        return client

    def experiment(self, client: MlflowClient, name: str) -> str:
        """Its id; made on first use. Two that make it at once get the same. Raises PermanentError when somebody deleted it."""
        from mlflow.exceptions import MlflowException

        found = client.get_experiment_by_name(name)
        if found is None:
            place = (self.folder.absolute() / "artifacts" / name).as_uri() if self.is_embedded else None
            try:
                return client.create_experiment(name, artifact_location=place)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = client.get_experiment_by_name(name)
        if found is None or found.lifecycle_stage != "active":
            raise PermanentError(
                f"the experiment {name!r} of MLflow at {self.place} is deleted: restore it there"
            )
        return found.experiment_id


def _settle_down() -> None:
    """Fewer retries, no telemetry, no bars and no advice in the log; what the user has set stays.

    Telemetry and some others are looked at while mlflow is imported, so this comes first.
    """
    wanted = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(RETRIES),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow.models", "mlflow.pyfunc", "mlflow.store", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
