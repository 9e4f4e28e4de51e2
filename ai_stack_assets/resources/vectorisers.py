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
    """The default is fitted on the configuration itself; the others are given by name, model and endpoint."""

    data: str = Field(description="Data folder: fitted models live in it")
    lake_url: str = Field(default="", description="LAKE_URL: bucket that fitted models travel through")
    name: str = Field(default="lsa", description="VECTORISER: lsa, sentence-transformers or openai")
    model: str = Field(
        default="", description="VECTORISER_MODEL: model at the endpoint, or its name or folder"
    )
    base_url: str = Field(default="", description="VECTORISER_URL: an OpenAI-compatible endpoint")
    api_key: str = Field(default="", description="VECTORISER_API_KEY")
    dimensions: int = Field(
        default=0, description="VECTORISER_DIMENSIONS: size to ask the endpoint for; 0: the model's own"
    )

    def open(self) -> Vectorisers:
        from ai_stack_assets.domain.common.lake_bucket import Bucket
        from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers, VectoriserSettings

        settings = VectoriserSettings(
            name=self.name, model=self.model, api_key=self.api_key, dimensions=self.dimensions or None
        )
        if self.base_url:
            settings = dataclasses.replace(settings, base_url=self.base_url)
        bucket = Bucket(self.lake_url).below("vectorisers") if self.lake_url else None
        return Vectorisers(Path(self.data) / "vectorisers", settings, bucket)
