"""As much of the Kubernetes API as dagster-k8s uses, over HTTP: a job that is created is run as a process of this machine.

    with kubernetes(folder, configs={"settings": {"NAME": "value"}}) as cluster:
        cluster.kubeconfig                # for clients
        cluster.jobs[name].body, .folder, .log, .process

Each pod has a folder of its own that stands for its file system: volumes are mounted below it (ConfigMaps with their files),
and what in its environment points into a mounted volume points there. It inherits nothing of our
environment but where programs are.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ai_stack_assets_tests.servers.http import HttpDouble, Request

PROJECT = Path(__file__).parents[2]
"""What an image would hold."""


@dataclass
class Job:
    """A created job and the process of its pod."""

    body: dict[str, Any]
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        return self.body["metadata"]["name"]

    @property
    def labels(self) -> dict[str, str]:
        return self.body["metadata"]["labels"]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def answer(self) -> dict[str, Any]:
        code = self.process.poll()
        status = {"active": 1} if code is None else {"succeeded": 1} if code == 0 else {"failed": 1}
        return {**self.body, "status": status}

    @property
    def pod(self) -> dict[str, Any]:
        metadata = {"name": self.name, "uid": f"uid-of-{self.name}", "labels": {"job-name": self.name}}
        return {"metadata": metadata, "spec": {"containers": [{"name": "dagster"}]}}


class Cluster(HttpDouble):
    """`configs`: content of ConfigMaps and Secrets by name. One namespace."""

    def __init__(self, folder: Path, configs: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self.folder, self.configs = folder, configs
        self.jobs: dict[str, Job] = {}
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "local", "cluster": {"server": self.url}}],
                    "users": [{"name": "nobody", "user": {}}],
                    "contexts": [{"name": "local", "context": {"cluster": "local", "user": "nobody"}}],
                    "current-context": "local",
                }
            )
        )

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for job in self.jobs.values():
            self._kill(job)

    def respond(self, request: Request) -> None:
        body, path = request.body(), urlsplit(request.path).path.strip("/").removesuffix("/status")
        *_, kind, name = path.split("/")
        if request.command == "POST":
            made = json.loads(body)
            if made["metadata"]["name"] in self.jobs:
                return request.send(409, {"reason": "AlreadyExists"})
            return request.send(201, self.create(made).answer)
        if request.command == "DELETE":
            self._kill(self.jobs[name])
            return request.send(200, {"status": "Success"})
        is_list = name in ("jobs", "pods")
        shown = attrgetter("answer" if "jobs" in (kind, name) else "pod")
        if is_list:
            return request.send(200, {"items": [shown(job) for job in list(self.jobs.values())]})
        if name in self.jobs:
            return request.send(200, shown(self.jobs[name]))
        return request.send(404, {"reason": "NotFound"})

    def create(self, body: dict[str, Any]) -> Job:
        pod = body["spec"]["template"]["spec"]
        [container] = pod["containers"]
        folder = self.folder / body["metadata"]["name"]
        folder.mkdir()
        mounts = self._mount(folder, pod.get("volumes", []), container.get("volumeMounts", []))
        said = self._environment(container)
        inside = {name: _inside(folder, mounts, value) for name, value in said.items()}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"PATH": path, "PYTHONPATH": str(PROJECT), "HOME": str(folder)}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                container["args"],
                cwd=folder,
                env={**inside, **own, "HOSTNAME": folder.name, "LANG": "C.UTF-8"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.jobs[folder.name] = Job(body, folder, process)
        return self.jobs[folder.name]

    @staticmethod
    def _kill(job: Job) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.process.pid, signal.SIGKILL)
        job.process.wait()

    def _environment(self, container: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= self.configs[(source.get("configMapRef") or source.get("secretRef"))["name"]]
        return found | {each["name"]: each.get("value", "") for each in container.get("env", [])}

    def _mount(self, folder: Path, volumes: list[dict], mounts: list[dict]) -> list[str]:
        by_name = {volume["name"]: volume for volume in volumes}
        for mount in mounts:
            place = folder / mount["mountPath"].lstrip("/")
            config = by_name[mount["name"]].get("configMap")
            files = self.configs[config["name"]] if config else {}
            if sub := mount.get("subPath"):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(files[sub])
                continue
            place.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (place / name).write_text(content)
        return [mount["mountPath"] for mount in mounts]


def _inside(folder: Path, mounts: list[str], value: str) -> str:
    is_inside = any(
        value == mount or value.startswith(f"{mount}/") or mount.startswith(f"{value}/") for mount in mounts
    )
    return str(folder / value.lstrip("/")) if value.startswith("/") and is_inside else value


def kubernetes(folder: Path, configs: dict[str, dict[str, str]]) -> Cluster:
    folder.mkdir(parents=True, exist_ok=True)
    return Cluster(folder, configs)
