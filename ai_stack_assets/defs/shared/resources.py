"""Which outside systems this platform talks to: every resource, bound to the environment."""

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets.resources.stores import GraphResource, PostgresResource, SearchResource, VectorResource
from ai_stack_assets.resources.vectorisers import VectorisersResource


@dg.definitions
def resources() -> dg.Definitions:
    data = str(settings.data_folder())
    lake_url = settings.text("LAKE_URL")
    vectorisers = VectorisersResource(
        data=data,
        lake_url=lake_url,
        name=settings.text("VECTORISER", "lsa"),
        model=settings.text("VECTORISER_MODEL"),
        base_url=settings.text("VECTORISER_URL"),
        api_key=_secret("VECTORISER_API_KEY"),
        dimensions=int(settings.text("VECTORISER_DIMENSIONS", "0")),
    )
    return dg.Definitions(
        resources={
            "configurations": ConfigurationsResource(file=str(settings.configurations_file())),
            "lake": LakeResource(
                data=data, url=lake_url, cache_gb=float(settings.text("LAKE_CACHE_GB", "20"))
            ),
            "vectorisers": vectorisers,
            "postgres": PostgresResource(data=data, url=_secret("POSTGRES_URL")),
            "graph": GraphResource(
                data=data,
                uri=_secret("NEO4J_URI"),
                user=settings.text("NEO4J_USER", "neo4j"),
                password=_secret("NEO4J_PASSWORD"),
            ),
            "vectors": VectorResource(
                data=data,
                vectorisers=vectorisers,
                url=_secret("QDRANT_URL"),
                api_key=_secret("QDRANT_API_KEY"),
            ),
            "search": SearchResource(
                data=data, url=_secret("ELASTICSEARCH_URL"), api_key=_secret("ELASTICSEARCH_API_KEY")
            ),
        }
    )


def _secret(name: str) -> str:
    """A reference that Dagster resolves at run time, so the UI never shows the value; empty when unset."""
    return dg.EnvVar(name) if settings.text(name) else ""
