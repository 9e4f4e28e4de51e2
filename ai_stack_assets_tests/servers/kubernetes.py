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
import threading
from collections.abc import Generator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

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


class Cluster:
    """`configs`: content of ConfigMaps and Secrets by name. One namespace."""

    def __init__(self, folder: Path, configs: dict[str, dict[str, str]]) -> None:
        self.folder, self.configs = folder, configs
        self.jobs: dict[str, Job] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.kubeconfig = folder / "kubeconfig"
        url = f"http://127.0.0.1:{self._server.server_port}"
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "local", "cluster": {"server": url}}],
                    "users": [{"name": "nobody", "user": {}}],
                    "contexts": [{"name": "local", "context": {"cluster": "local", "user": "nobody"}}],
                    "current-context": "local",
                }
            )
        )

    def serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for job in self.jobs.values():
            self._kill(job)

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

    def delete(self, name: str) -> None:
        self._kill(self.jobs[name])

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


def _handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if body["metadata"]["name"] in cluster.jobs:
                self._say({"reason": "AlreadyExists"}, 409)
            else:
                self._say(cluster.create(body).answer, 201)

        def do_GET(self) -> None:
            parts = urlsplit(self.path).path.strip("/").split("/")
            kind, name = (parts[-1], None) if parts[-1] in ("jobs", "pods") else (parts[-2], parts[-1])
            if name == "status":
                kind, name = parts[-3], parts[-2]
            show = (lambda job: job.answer) if kind == "jobs" else (lambda job: job.pod)
            if name is None:
                self._say({"items": [show(job) for job in list(cluster.jobs.values())]})
            elif name in cluster.jobs:
                self._say(show(cluster.jobs[name]))
            else:
                self._say({"reason": "NotFound"}, 404)

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            cluster.delete(self.path.split("?")[0].rsplit("/", 1)[-1])
            self._say({"status": "Success"})

        def _say(self, answer: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def kubernetes(folder: Path, configs: dict[str, dict[str, str]]) -> Generator[Cluster]:
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder, configs)
    cluster.serve()
    try:
        yield cluster
    finally:
        cluster.stop()
