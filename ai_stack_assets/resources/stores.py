"""One resource per store: a server when its setting is given, else an embedded engine in the data folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from ai_stack_assets.resources.vectorisers import VectorisersResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.contract import OpenStore


class StoreResource(dg.ConfigurableResource):
    """What every store needs. `open()` gives the plain client."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA): the embedded engine lives in it")

    @abstractmethod
    def open(self) -> OpenStore: ...

    def folder(self, name: str) -> Path:
        return Path(self.data) / "stores" / name


class PostgresResource(StoreResource):
    url: str = Field(default="", description="POSTGRES_URL; unset: an embedded PostgreSQL")

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.postgres import embedded
        from ai_stack_assets.domain.stores.postgres.client import Postgres

        return Postgres(self.url or embedded.serve(self.folder("postgres")))


class GraphResource(StoreResource):
    uri: str = Field(default="", description="NEO4J_URI, `bolt://host:7687`; unset: an embedded graph engine")
    user: str = Field(default="neo4j", description="NEO4J_USER")
    password: str = Field(default="", description="NEO4J_PASSWORD")

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.graph import open_graph

        return open_graph(self.folder("graph"), uri=self.uri, user=self.user, password=self.password)


class VectorResource(StoreResource):
    vectorisers: VectorisersResource
    url: str = Field(default="", description="QDRANT_URL; unset: an embedded Qdrant engine")
    api_key: str = Field(default="", description="QDRANT_API_KEY")

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
        from ai_stack_assets.domain.stores.vectors.server import ServerEngine
        from ai_stack_assets.domain.stores.vectors.store import VectorStores

        engine = ServerEngine(self.url, self.api_key) if self.url else EdgeEngine(self.folder("vectors"))
        return VectorStores(engine, self.vectorisers.open())


class SearchResource(StoreResource):
    url: str = Field(default="", description="ELASTICSEARCH_URL; unset: an embedded full-text engine")
    api_key: str = Field(default="", description="ELASTICSEARCH_API_KEY")

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
        from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy

        if self.url:
            return Elasticsearch(self.url, self.api_key or None)
        return Tantivy(self.folder("search"))
