"""Which outside systems this platform talks to: every resource, bound to the environment."""

from __future__ import annotations

import dagster as dg

from ai_stack_assets.defs.shared.settings import configurations_file, data_folder, setting
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets.resources.stores import GraphResource, PostgresResource, SearchResource, VectorResource


@dg.definitions
def resources() -> dg.Definitions:
    data = str(data_folder())
    return dg.Definitions(
        resources={
            "configurations": ConfigurationsResource(file=str(configurations_file())),
            "lake": LakeResource(data=data),
            "postgres": PostgresResource(data=data, url=setting("POSTGRES_URL")),
            "graph": GraphResource(
                data=data,
                uri=setting("NEO4J_URI"),
                user=setting("NEO4J_USER", "neo4j"),
                password=setting("NEO4J_PASSWORD"),
            ),
            "vectors": VectorResource(
                data=data, url=setting("QDRANT_URL"), api_key=setting("QDRANT_API_KEY")
            ),
            "search": SearchResource(
                data=data, url=setting("ELASTICSEARCH_URL"), api_key=setting("ELASTICSEARCH_API_KEY")
            ),
        }
    )
