"""One resource per store: a server when its setting is given, else the embedded engine under the data folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import dagster as dg
from pydantic import Field

from ai_stack_assets.domain.stores.contract import OpenStore


class StoreResource(dg.ConfigurableResource):
    """What every store needs. `open()` gives the plain client; nothing is started or connected before it."""

    data: str = Field(description="Data folder: the embedded engine lives in it")

    @abstractmethod
    def open(self) -> OpenStore: ...

    def folder(self, name: str) -> Path:
        return Path(self.data) / "stores" / name


class PostgresResource(StoreResource):
    url: str = Field(default="", description="POSTGRES_URL; unset: embedded PostgreSQL")

    def open(self) -> OpenStore:
        raise NotImplementedError


class GraphResource(StoreResource):
    uri: str = Field(default="", description="NEO4J_URI, `bolt://host:7687`; unset: embedded graph engine")
    user: str = Field(default="neo4j", description="NEO4J_USER")
    password: str = Field(default="", description="NEO4J_PASSWORD")

    def open(self) -> OpenStore:
        raise NotImplementedError


class VectorResource(StoreResource):
    url: str = Field(default="", description="QDRANT_URL; unset: embedded Qdrant engine")
    api_key: str = Field(default="", description="QDRANT_API_KEY")

    def open(self) -> OpenStore:
        raise NotImplementedError


class SearchResource(StoreResource):
    url: str = Field(default="", description="ELASTICSEARCH_URL; unset: embedded full-text engine")
    api_key: str = Field(default="", description="ELASTICSEARCH_API_KEY")

    def open(self) -> OpenStore:
        raise NotImplementedError
