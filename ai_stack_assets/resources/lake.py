"""The data folder: lake versions, the cache of parsed files, small results. Opens plain domain objects."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.common.lake import Lake


class LakeResource(dg.ConfigurableResource):
    """Parquet tables of all configurations under one folder."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA)")

    def open(self) -> Lake:
        return Lake(Path(self.data) / "lake" / "onec")

    @property
    def cache(self) -> Path:
        """Facts of every distinct file ever parsed, shared by versions and configurations."""
        return Path(self.data) / "cache"

    @property
    def vectorisers(self) -> Path:
        return Path(self.data) / "vectorisers"

    def result(self, configuration: str, name: str) -> Path:
        """Where a query asset leaves its rows: `<data>/results/<configuration>/<name>.json`."""
        return Path(self.data) / "results" / configuration / f"{name}.json"
