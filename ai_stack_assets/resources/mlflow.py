"""MLflow: runs, registered models and their aliases; on a server, or in the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from ai_stack_assets.resources.stores import PostgresResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.doctor import Look
    from ai_stack_assets.domain.training.registry.aliases import Registered
    from ai_stack_assets.domain.training.registry.registry import Registry


class MlflowResource(dg.ConfigurableResource):
    """Plain `mlflow`: `dagster-mlflow` has one run per Dagster run, and leaves the run of an asset open."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA): the embedded one lives in it")
    postgres: PostgresResource
    url: str = Field(
        default="",
        description="MLFLOW_TRACKING_URI, `http://host:5000`; unset: SQLite and a folder. MLFLOW_TRACKING_TOKEN or "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, when the server asks for them",
    )

    prefix: str = Field(
        default="bsl-",
        description="MLFLOW_PREFIX: of experiments and models; one for each installation on a server",
    )

    @property
    def folder(self) -> Path:
        return Path(self.data) / "mlflow"

    def open(self) -> Registry:
        """The registry of models, with the table of its decisions in PostgreSQL."""
        from ai_stack_assets.domain.training.registry.decisions import Decisions
        from ai_stack_assets.domain.training.registry.registry import Registry
        from ai_stack_assets.domain.training.registry.tracking import Tracking

        return Registry(Tracking(self.folder, self.url), Decisions(self.postgres.open()), prefix=self.prefix)

    def champion(self, task: str) -> Registered | None:
        """The version in use, without its metrics. Cheap: where nobody has ever trained, MLflow is not even imported.

        Raises:
            TransientError, PermanentError: MLflow cannot be reached, or refuses.
        """
        from ai_stack_assets.domain.training.registry.tracking import SQLITE, Tracking

        if not self.url and not (self.folder / SQLITE).exists():
            return None
        from ai_stack_assets.domain.training.registry.aliases import CHAMPION, by_alias

        with Tracking(self.folder, self.url).open() as client:
            return by_alias(client, f"{self.prefix}{task}", CHAMPION)

    def looks(self) -> list[Look]:
        """At the server, for the doctor; at nothing when MLflow is in the data folder, which is looked at anyway."""
        from ai_stack_assets.domain.stores.doctor import Findings, Look
        from ai_stack_assets.domain.training.registry.tracking import Tracking

        def run() -> Findings:
            tracking = Tracking(self.folder, self.url)
            with tracking.open() as client:
                client.search_experiments(max_results=1)
                yield "reachable", tracking.place
                found = client.search_registered_models(f"name LIKE '{self.prefix}%'")
                yield "registry", f"{len(found)} models named {self.prefix}…"

        settings = "MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN"
        return [Look("mlflow (server)", settings, run, ("reachable", "registry"))] if self.url else []
