"""One resource per store: a server when its setting is given, else an embedded engine in the data folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import dagster as dg
from pydantic import Field

from ai_stack_assets.resources.vectorisers import VectorisersResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.contract import OpenStore
    from ai_stack_assets.domain.stores.doctor import Look


class StoreResource(dg.ConfigurableResource):
    """What every store needs. `open()` gives the plain client."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA): the embedded engine lives in it")

    store: ClassVar[str] = ""
    settings: ClassVar[str] = ""
    """What to look at when it does not work."""

    @abstractmethod
    def open(self) -> OpenStore: ...

    @property
    def address(self) -> str:
        """Of the server; empty when the store is embedded."""
        return ""

    def look(self) -> Look:
        from ai_stack_assets.domain.stores.doctor import looks_at

        return looks_at(self.store, self.open, "server" if self.address else "embedded", self.settings)

    def folder(self, name: str) -> Path:
        return Path(self.data) / "stores" / name


class PostgresResource(StoreResource):
    store, settings = "postgres", "POSTGRES_URL"
    url: str = Field(default="", description="POSTGRES_URL; unset: an embedded PostgreSQL")

    @property
    def address(self) -> str:
        return self.url

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.postgres.client import Postgres
        from ai_stack_assets.domain.stores.postgres.embedded import EmbeddedPostgres

        return Postgres(self.url) if self.url else EmbeddedPostgres(self.folder("postgres"))


class GraphResource(StoreResource):
    store, settings = "graph", "NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD, NEO4J_DATABASE, NEO4J_CA"
    uri: str = Field(default="", description="NEO4J_URI, `bolt://host:7687`; unset: an embedded graph engine")
    user: str = Field(default="neo4j", description="NEO4J_USER")
    password: str = Field(default="", description="NEO4J_PASSWORD")
    database: str = Field(default="", description="NEO4J_DATABASE; unset: the server's default")
    ca: str = Field(default="", description="NEO4J_CA, a PEM file; unset: the authorities of the machine")

    @property
    def address(self) -> str:
        return self.uri

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.graph import open_graph

        account = {"uri": self.uri, "user": self.user, "password": self.password}
        return open_graph(self.folder("graph"), **account, database=self.database, ca=self.ca)


class VectorResource(StoreResource):
    store, settings = "vectors", "QDRANT_URL, QDRANT_API_KEY, QDRANT_CA"
    vectorisers: VectorisersResource
    url: str = Field(default="", description="QDRANT_URL; unset: an embedded Qdrant engine")
    api_key: str = Field(default="", description="QDRANT_API_KEY")
    ca: str = Field(default="", description="QDRANT_CA, a PEM file; unset: the authorities of the machine")

    @property
    def address(self) -> str:
        return self.url

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
        from ai_stack_assets.domain.stores.vectors.server import ServerEngine
        from ai_stack_assets.domain.stores.vectors.store import VectorStores

        if self.url:
            return VectorStores(ServerEngine(self.url, self.api_key, ca=self.ca), self.vectorisers.open())
        return VectorStores(EdgeEngine(self.folder("vectors")), self.vectorisers.open())


class SearchResource(StoreResource):
    store, settings = (
        "search",
        "ELASTICSEARCH_URL, ELASTICSEARCH_USER, ELASTICSEARCH_PASSWORD, ELASTICSEARCH_API_KEY, ELASTICSEARCH_CA",
    )
    url: str = Field(default="", description="ELASTICSEARCH_URL; unset: an embedded full-text engine")
    user: str = Field(default="", description="ELASTICSEARCH_USER")
    password: str = Field(default="", description="ELASTICSEARCH_PASSWORD")
    api_key: str = Field(default="", description="ELASTICSEARCH_API_KEY, instead of user and password")
    ca: str = Field(
        default="", description="ELASTICSEARCH_CA, a PEM file; unset: the authorities of the machine"
    )

    @property
    def address(self) -> str:
        return self.url

    def open(self) -> Any:
        from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch
        from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy

        if self.url:
            return Elasticsearch(self.url, self.api_key or None, self.user, self.password, self.ca)
        return Tantivy(self.folder("search"))
