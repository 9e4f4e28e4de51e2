"""The lake, in the data folder or in a bucket; and what stays on this machine: parsed files, small results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.stores.doctor import Findings, Look


class LakeResource(dg.ConfigurableResource):
    """Parquet tables of all configurations, in one folder or in one bucket that many machines share."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA)")
    url: str = Field(default="", description="LAKE_URL, `s3://bucket/prefix`; unset: in the data folder")
    cache_gb: float = Field(default=20, description="LAKE_CACHE_GB: room for what was read from the bucket")

    def open(self, namespace: str = "onec") -> Lake:
        """`namespace`: folder of the lake, such as `onec` or `dataset/methods`."""
        from ai_stack_assets.domain.common.lake_shared import open_lake

        return open_lake(Path(self.data), self.url, namespace, int(self.cache_gb * 2**30))

    def looks(self) -> list[Look]:
        """At the bucket, for the doctor; at nothing when the lake is in the data folder, which is looked at anyway."""
        from ai_stack_assets.domain.common.lake_bucket import Bucket
        from ai_stack_assets.domain.stores.doctor import Look

        def run() -> Findings:
            bucket = Bucket(self.url)
            yield "reachable", f"{len(bucket.list('onec/current'))} configurations"
            bucket.verify()
            yield "rights", "may write, list and delete; conditions hold"

        return (
            [Look(f"lake ({self.url})", "LAKE_URL, AWS_ENDPOINT_URL", run, ("reachable", "rights"))]
            if self.url
            else []
        )

    @property
    def cache(self) -> Path:
        """Facts of every distinct file ever parsed, shared by versions and configurations."""
        return Path(self.data) / "cache"

    @property
    def vectorisers(self) -> Path:
        return Path(self.data) / "vectorisers"

    def keep_result(self, configuration: str, name: str, content: bytes) -> str:
        """Keep what a query asset answered, as `results/<configuration>/<name>.json` beside the lake. Returns its address."""
        from ai_stack_assets.domain.common.lake_bucket import Bucket

        place = f"results/{configuration}/{name}.json"
        if self.url:
            bucket = Bucket(self.url)
            bucket.write(place, content)
            return f"{bucket.url}/{place}"
        path = Path(self.data) / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.as_uri()
