"""Which vectoriser turns text into vectors, and where its models lie."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers


class VectorisersResource(dg.ConfigurableResource):
    """The default is the champion of the training stage, and until there is one, LSA fitted on the configuration itself; others
    are given by name, model and endpoint."""

    data: str = Field(description="Data folder: fitted models live in it")
    lake_url: str = Field(default="", description="LAKE_URL: bucket that fitted models travel through")
    name: str = Field(
        default="champion", description="VECTORISER: champion, lsa, sentence-transformers or openai"
    )
    model: str = Field(
        default="", description="VECTORISER_MODEL: model at the endpoint, or its name or folder"
    )
    base_url: str = Field(default="", description="VECTORISER_URL: an OpenAI-compatible endpoint")
    api_key: str = Field(default="", description="VECTORISER_API_KEY")
    dimensions: int = Field(
        default=0, description="VECTORISER_DIMENSIONS: size to ask the endpoint for; 0: the model's own"
    )

    mlflow_url: str = Field(default="", description="MLFLOW_TRACKING_URI: where the champion is registered")
    mlflow_prefix: str = Field(default="bsl-", description="MLFLOW_PREFIX: of the registered models")

    def open(self) -> Vectorisers:
        from ai_stack_assets.domain.common.lake_bucket import Bucket
        from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers, VectoriserSettings
        from ai_stack_assets.domain.vectorisers.champion import registered

        settings = VectoriserSettings(
            name=self.name, model=self.model, api_key=self.api_key, dimensions=self.dimensions or None
        )
        if self.base_url:
            settings = dataclasses.replace(settings, base_url=self.base_url)
        bucket = Bucket(self.lake_url).below("vectorisers") if self.lake_url else None
        mlflow = Path(self.data) / "mlflow"
        return Vectorisers(
            Path(self.data) / "vectorisers",
            settings,
            bucket,
            lambda: registered(mlflow, self.mlflow_url, self.mlflow_prefix),
        )
