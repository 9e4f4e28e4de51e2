"""What the stores of both engines share: the lake's side of the comparison. Nothing of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.stores.graph.projection import Projection
from ai_stack_assets.domain.stores.graph.schema import COLLECTIONS

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version


class GraphStore:
    """Half of `domain.stores.contract.Store`; an engine's store adds `actual`, `transaction`, `delete` and
    `upsert`."""

    name = "graph"
    collections = tuple(COLLECTIONS)

    def __init__(self, configuration: str) -> None:
        self.configuration = configuration
        self._projection: Projection | None = None

    @property
    def dangling(self) -> dict[str, int]:
        """Lake rows that gave no relationship, by type: an end is not in this configuration."""
        return dict(self._projection.dangling) if self._projection else {}

    def expected(self, version: Version, collection: str) -> pa.Table:
        return self.projected(version).hashes(collection)

    def projected(self, version: Version) -> Projection:
        if self._projection is None or self._projection.version != version:
            self._projection = Projection(version)
        return self._projection
