"""A run whose steps share nothing but the bucket and the databases: each is a pod with a file system of its own.

The pods are what dagster-k8s asks the Kubernetes API for, from the files in deploy/kubernetes, run as processes.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import kubernetes_validate
import pytest
import yaml

from ai_stack_assets.cli.run import pipeline
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake
from ai_stack_assets.orchestration import checks, keys
from ai_stack_assets.orchestration.partitions import CONFIGURATION, PARTITION_TAG
from ai_stack_assets_tests.servers.kubernetes import Cluster, Job, kubernetes

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy" / "kubernetes"
SAMPLE = PROJECT / "samples" / "demo" / "designer"
SELECTION = [*keys.LAKE_TABLES.values(), keys.VECTORISER, *keys.STORE_KEYS]
"""Qdrant has no server here: its engine lies in the folder of its step's own pod."""
SECONDS = 600
KUBERNETES = "1.34"


def env_file(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Site:
    """The cluster, the servers, and what a user would see."""

    def __init__(self, cluster: Cluster, instance: dg.DagsterInstance, source: Path) -> None:
        self.cluster, self.instance, self.source = cluster, instance, source

    def run(self) -> dg.DagsterRun:
        job = pipeline().get_subset(asset_selection=set(SELECTION))
        run = self.instance.create_run_for_job(
            job,
            tags={PARTITION_TAG: "demo"},
            asset_selection=frozenset(SELECTION),
            job_code_origin=dg.reconstructable(pipeline).get_python_origin(),
        )
        self.instance.run_launcher.launch_run(_launch(run))
        self.cluster.jobs[f"dagster-run-{run.run_id}"].process.wait(SECONDS)
        return self.instance.get_run_by_id(run.run_id)

    def steps(self, run: dg.DagsterRun) -> dict[str, Job]:
        jobs = [job for job in self.cluster.jobs.values() if job.labels["dagster/run-id"] == run.run_id]
        return {job.labels["dagster/op"]: job for job in jobs if "dagster/op" in job.labels}

    def logs(self, run: dg.DagsterRun) -> str:
        """What went wrong, for whoever reads the test's failure."""
        failed = [event for event in self.instance.all_logs(run.run_id) if event.level >= logging.ERROR]
        events = [
            f"{event.message}\n{event.dagster_event and event.dagster_event.event_specific_data}"
            for event in failed
        ]
        return "\n".join(
            [*events, *(f"--- {job.name}\n{job.log[-3000:]}" for job in self.cluster.jobs.values())]
        )


def _launch(run: dg.DagsterRun):
    from dagster._core.launcher import LaunchRunContext

    return LaunchRunContext(dagster_run=run, workspace=None)


@pytest.fixture
def site(
    tmp_path, s3_server, bucket_url, postgres_server, neo4j_server, elasticsearch_server, monkeypatch
) -> Iterator[Site]:
    source = tmp_path / "source"
    shutil.copytree(SAMPLE, source)
    dagster_url = postgres_server.create_database("dagster").replace("postgresql:", "postgresql+psycopg2:", 1)
    settings = env_file("settings.env") | {
        **s3_server.environment,
        "LAKE_URL": f"{bucket_url}/platform",
        "NEO4J_URI": neo4j_server.url,
        "ELASTICSEARCH_URL": elasticsearch_server.url,
        "QDRANT_URL": "",
    }
    secrets = dict.fromkeys(env_file("secrets.example.env"), "") | {
        "DAGSTER_POSTGRES_URL": dagster_url,
        "POSTGRES_URL": postgres_server.create_database("onec"),
        "NEO4J_PASSWORD": neo4j_server.password,
        **{name: s3_server.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
    }
    steps = yaml.safe_load((DEPLOY / "steps.yaml").read_text()) | {"max_concurrent": 2}
    instance_file = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    configurations = {"configurations": [{"name": "demo", "source": str(source)}]}
    configs = {
        "ai-stack-assets": settings | secrets,
        "configurations": {
            "configurations.yaml": yaml.safe_dump(configurations),
            "steps.yaml": yaml.safe_dump(steps),
        },
        "dagster-instance": {},
    }
    with kubernetes(tmp_path / "pods", configs) as cluster:
        launcher = instance_file["run_launcher"]["config"]
        launcher |= {"load_incluster_config": False, "kubeconfig_file": str(cluster.kubeconfig)}
        configs["dagster-instance"]["dagster.yaml"] = yaml.safe_dump(instance_file)
        for name in ("DAGSTER_POSTGRES_URL", "DAGSTER_NAMESPACE", "DAGSTER_IMAGE"):
            monkeypatch.setenv(name, (settings | secrets)[name])
        home = tmp_path / "home"
        home.mkdir()
        (home / "dagster.yaml").write_text(configs["dagster-instance"]["dagster.yaml"])
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.add_dynamic_partitions(CONFIGURATION, ["demo"])
            yield Site(cluster, instance, source)


def test_steps_in_pods_that_share_only_the_bucket_and_the_databases_end_in_parity(site, bucket_url):
    first = site.run()
    assert first.status is dg.DagsterRunStatus.SUCCESS, site.logs(first)
    assert parity(site, first) == dict.fromkeys(keys.STORE_KEYS, True)
    pods = site.steps(first)
    stores = {key.to_python_identifier() for key in keys.STORE_KEYS}
    assert set(pods) == {keys.EXTRACT, keys.VECTORISER.to_python_identifier(), *stores}
    for job in site.cluster.jobs.values():
        kubernetes_validate.validate(job.body, KUBERNETES, strict=True)
    # only the extraction has read the source; the others have what the bucket gave them
    read = {name for name, pod in pods.items() if (pod.folder / "data" / "cache" / "facts.sqlite").exists()}
    assert read == {keys.EXTRACT}
    lake = SharedLake(site.cluster.folder / "look", Bucket(bucket_url).below("platform", "onec"))
    assert lake.require("demo").rows("methods") > 0

    module = next(site.source.rglob("CommonModules/*/Ext/Module.bsl"))
    module.write_text(module.read_text(encoding="utf-8-sig") + "\n// ещё строка\n", encoding="utf-8")
    second = site.run()
    assert second.status is dg.DagsterRunStatus.SUCCESS, site.logs(second)
    assert parity(site, second) == dict.fromkeys(keys.STORE_KEYS, True)
    changed = metadata(site, second, keys.lake("modules"))
    assert (changed["added"], changed["changed"], changed["removed"]) == (0, 1, 0)
    # a cold pod has parsed all files of one bucket at most, and the database has received the one row
    written = metadata(site, second, keys.POSTGRES_TABLES)
    assert written["added"] == written["removed"] == 0
    assert 0 < written["changed"] < written["dagster/row_count"] / 10
    assert not metadata(site, second, keys.VECTORISER)["is_refitted"]


def parity(site: Site, run: dg.DagsterRun) -> dict[dg.AssetKey, bool]:
    events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [event.dagster_event.event_specific_data for event in events]
    return {each.asset_key: each.passed for each in found if each.check_name == checks.PARITY}


def metadata(site: Site, run: dg.DagsterRun, key: dg.AssetKey) -> dict:
    events = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    [made] = [event.asset_materialization for event in events if event.asset_materialization.asset_key == key]
    return {name: value.value for name, value in made.metadata.items()}
