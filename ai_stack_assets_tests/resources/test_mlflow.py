"""Where MLflow is, by its settings."""

from ai_stack_assets.domain.stores.doctor import examine
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import PostgresResource
from ai_stack_assets_tests.servers.mlflow import mlflow
from ai_stack_assets_tests.servers.process import free_port


def resource(tmp_path, url="", **options) -> MlflowResource:
    return MlflowResource(
        data=str(tmp_path), postgres=PostgresResource(data=str(tmp_path)), url=url, **options
    )


def test_without_a_setting_mlflow_lies_in_the_data_folder(tmp_path):
    made = resource(tmp_path)

    assert made.open().tracking.uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert made.looks() == []


def test_the_doctor_looks_at_a_server(tmp_path):
    with mlflow() as server:
        (diagnosis,) = examine(resource(tmp_path, server.url, prefix="team-").looks())

    assert [(finding.step, finding.said) for finding in diagnosis.findings] == [
        ("reachable", server.url),
        ("registry", "0 models named team-…"),
    ]


def test_a_server_that_is_away_is_an_illness_with_its_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    (diagnosis,) = examine(resource(tmp_path, f"http://127.0.0.1:{free_port()}").looks())

    assert diagnosis.problem.startswith("reachable: MLflow at http://127.0.0.1:")
    assert "MLFLOW_TRACKING_URI" in diagnosis.problem
