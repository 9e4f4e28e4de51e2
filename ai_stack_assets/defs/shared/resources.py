"""Which outside systems this platform talks to: every resource, bound to the environment."""

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import executors
from ai_stack_assets.resources.alerts import AlertsResource
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.dataset import DatasetResource, DatasetSourcesResource, HubResource
from ai_stack_assets.resources.kubeflow import KubeflowResource
from ai_stack_assets.resources.lake import LakeResource
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import GraphResource, PostgresResource, SearchResource, VectorResource
from ai_stack_assets.resources.training import TrainingResource
from ai_stack_assets.resources.vectorisers import VectorisersResource


@dg.definitions
def resources() -> dg.Definitions:
    data = str(settings.data_folder())
    lake_url = settings.text("LAKE_URL")
    vectorisers = VectorisersResource(
        data=data,
        lake_url=lake_url,
        name=settings.vectoriser(),
        mlflow_url=_secret("MLFLOW_TRACKING_URI"),
        mlflow_prefix=settings.text("MLFLOW_PREFIX", "bsl-"),
        model=settings.text("VECTORISER_MODEL"),
        base_url=settings.text("VECTORISER_URL"),
        api_key=_secret("VECTORISER_API_KEY"),
        dimensions=int(settings.text("VECTORISER_DIMENSIONS", "0")),
    )
    configurations = ConfigurationsResource(file=str(settings.configurations_file()))
    return dg.Definitions(
        resources={
            **_dataset(data),
            **_training(data, configurations),
            "alerts": AlertsResource(url=_secret("ALERT_WEBHOOK_URL")),
            "kubeflow": KubeflowResource(
                url=settings.text("KUBEFLOW_URL"),
                token=_secret("KUBEFLOW_TOKEN"),
                namespace=settings.text("KUBEFLOW_NAMESPACE"),
            ),
            "configurations": configurations,
            "lake": lake(),
            "vectorisers": vectorisers,
            "postgres": postgres(),
            "graph": GraphResource(
                data=data,
                uri=_secret("NEO4J_URI"),
                user=settings.text("NEO4J_USER", "neo4j"),
                password=_secret("NEO4J_PASSWORD"),
                database=settings.text("NEO4J_DATABASE"),
                ca=settings.text("NEO4J_CA"),
            ),
            "vectors": VectorResource(
                data=data,
                vectorisers=vectorisers,
                url=_secret("QDRANT_URL"),
                api_key=_secret("QDRANT_API_KEY"),
                ca=settings.text("QDRANT_CA"),
            ),
            "search": SearchResource(
                data=data,
                url=_secret("ELASTICSEARCH_URL"),
                user=settings.text("ELASTICSEARCH_USER"),
                password=_secret("ELASTICSEARCH_PASSWORD"),
                api_key=_secret("ELASTICSEARCH_API_KEY"),
                ca=settings.text("ELASTICSEARCH_CA"),
            ),
        }
    )


def lake() -> LakeResource:
    return LakeResource(
        data=str(settings.data_folder()),
        url=settings.text("LAKE_URL"),
        cache_gb=float(settings.text("LAKE_CACHE_GB", "20")),
    )


def postgres() -> PostgresResource:
    return PostgresResource(data=str(settings.data_folder()), url=_secret("POSTGRES_URL"))


def dataset_settings() -> DatasetResource:
    return DatasetResource(
        data=str(settings.data_folder()),
        file=str(settings.dataset_file()),
        ray_address=settings.text("RAY_ADDRESS"),
    )


def dataset_sources() -> DatasetSourcesResource:
    return DatasetSourcesResource(
        dataset=dataset_settings(),
        postgres=postgres(),
        github_token=_secret("GITHUB_TOKEN"),
        github_url=settings.text("GITHUB_API_URL"),
        its_user=settings.text("ITS_USER"),
        its_password=_secret("ITS_PASSWORD"),
        its_url=settings.text("ITS_URL"),
        its_login_url=settings.text("ITS_LOGIN_URL"),
    )


def _dataset(data: str) -> dict[str, object]:
    return {
        "dataset_settings": dataset_settings(),
        "dataset_sources": dataset_sources(),
        "hub": HubResource(data=data, token=_secret("HF_TOKEN"), endpoint=settings.text("HF_ENDPOINT")),
        "ray_pipes": dg.PipesSubprocessClient(),
    }


def _training(data: str, configurations: ConfigurationsResource) -> dict[str, object]:
    # a pod has its machine for itself
    fits_at_once = 1 if settings.text("AI_STACK_ASSETS_EXECUTOR") else executors.fits_at_once()
    return {
        "training_settings": TrainingResource(
            data=data,
            file=str(settings.training_file()),
            lake=lake(),
            configurations=configurations,
            time_zone=settings.time_zone(),
            fits_at_once=fits_at_once,
        ),
        "mlflow": MlflowResource(
            data=data,
            postgres=postgres(),
            url=_secret("MLFLOW_TRACKING_URI"),
            prefix=settings.text("MLFLOW_PREFIX", "bsl-"),
        ),
    }


def _secret(name: str) -> str:
    """A reference that Dagster resolves at run time, so the UI never shows the value; empty when unset."""
    return dg.EnvVar(name) if settings.text(name) else ""
