"""Kubeflow Pipelines over its HTTP API v2beta1: start a run once, wait for it, stop it. No compiling here: see `pipeline_ir`.

Paths and fields are those of `kfp_server_api` 2.17.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError, retry_after

if TYPE_CHECKING:
    import httpx

API = "/apis/v2beta1"
SUCCEEDED, GOOD_ENDS, BAD_ENDS = "SUCCEEDED", ("SUCCEEDED", "SKIPPED"), ("FAILED", "CANCELED")
_SECONDS = 30
PATIENCE = 10
"""Polls in a row that may fail while a run is waited for: a server restarts, the run goes on without it."""


@dataclass(frozen=True)
class PipelineRun:
    """One run as Kubeflow tells of it. `steps`: name → state, `seconds`: name → how long, where it has ended."""

    id: str
    name: str
    state: str
    error: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


class Kubeflow:
    """Methods raise TransientError when the server is away, PermanentError when it refuses."""

    def __init__(
        self, url: str, token: str = "", namespace: str = "", *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Args: namespace: of a server with several users. sleep: between two looks."""
        if not url:
            raise PermanentError("KUBEFLOW_URL is not set: http://host:port of Kubeflow Pipelines")
        self.url, self._token, self._namespace, self._sleep = url.rstrip("/"), token, namespace, sleep

    def submit(
        self,
        specification: Mapping[str, Any],
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        experiment: str = "Default",
    ) -> str:
        """Start a run, unless one of this name is there already in the experiment. Returns its id.

        So a step that was tried again goes on waiting for the run that it had started.
        """
        with self._client() as client:
            experiment_id = self._experiment(client, experiment)
            query = {"experiment_id": experiment_id, **_named(name)}
            if found := self._ask(client, "GET", "/runs", params=query).get("runs"):
                return found[0]["run_id"]
            body = {
                "display_name": name,
                "experiment_id": experiment_id,
                "pipeline_spec": specification,
                "runtime_config": {"parameters": dict(parameters or {})},
            }
            return self._ask(client, "POST", "/runs", json=body)["run_id"]

    def look(self, run_id: str) -> PipelineRun:
        with self._client() as client:
            return _read(self._ask(client, "GET", f"/runs/{run_id}"))

    def wait(
        self,
        run_id: str,
        *,
        minutes: float,
        every: float = 10,
        progress: Callable[[str], None] = print,
    ) -> PipelineRun:
        """Until the run has ended well. When this process is interrupted, or the time is over, the run is stopped.

        Args: every: seconds between two looks.

        Raises:
            PermanentError: it failed, was stopped by somebody, or took longer: with the steps that failed and why.
            TransientError: the server has been away for `PATIENCE` looks; the run goes on.
        """
        end, said = time.monotonic() + 60 * minutes, None
        with self._stopped_with_us(run_id):
            while True:
                run = self._patiently(run_id, every)
                if (state := (run.state, tuple(run.steps.items()))) != said:
                    said = state
                    progress(f"{run.name} {run.state}: {', '.join(f'{s} {t}' for s, t in run.steps.items())}")
                if run.state in GOOD_ENDS:
                    return run
                if run.state in BAD_ENDS:
                    raise PermanentError(f"Kubeflow run {run.name} ({self.link(run_id)}) {_why(run)}")
                if time.monotonic() > end:
                    self.stop(run_id)
                    raise PermanentError(
                        f"Kubeflow run {run.name} took longer than {minutes:g} minutes: stopped"
                    )
                self._sleep(every)

    def stop(self, run_id: str) -> None:
        with self._client() as client:
            self._ask(client, "POST", f"/runs/{run_id}:terminate")

    def link(self, run_id: str) -> str:
        return f"{self.url}/#/runs/details/{run_id}"

    def _patiently(self, run_id: str, every: float) -> PipelineRun:
        for _ in range(PATIENCE - 1):
            try:
                return self.look(run_id)
            except TransientError:
                self._sleep(every)
        return self.look(run_id)

    @contextlib.contextmanager
    def _stopped_with_us(self, run_id: str) -> Iterator[None]:
        try:
            yield
        except (PermanentError, TransientError):
            raise
        except BaseException:
            # the step was terminated: nobody waits for the run any more
            with contextlib.suppress(PermanentError, TransientError):
                self.stop(run_id)
            raise

    def _experiment(self, client: httpx.Client, name: str) -> str:
        """Its id; made on first use."""
        owner = {"namespace": self._namespace} if self._namespace else {}
        found = self._ask(client, "GET", "/experiments", params={**_named(name), **owner}).get("experiments")
        if found:
            return found[0]["experiment_id"]
        return self._ask(client, "POST", "/experiments", json={"display_name": name, **owner})[
            "experiment_id"
        ]

    def _client(self) -> httpx.Client:
        import httpx

        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=_SECONDS)

    def _ask(self, client: httpx.Client, method: str, path: str, **options: Any) -> dict[str, Any]:
        import httpx

        try:
            answer = client.request(method, API + path, **options)
        except httpx.InvalidURL as error:
            raise PermanentError(f"KUBEFLOW_URL is no address: {error}") from None
        except httpx.HTTPError as error:
            raise TransientError(f"Kubeflow at {self.url} does not answer: {type(error).__name__}") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            wait = retry_after(answer.headers)
            raise TransientError(f"Kubeflow at {self.url}: status {answer.status_code}", wait)
        if answer.status_code in (401, 403):
            raise PermanentError(f"Kubeflow at {self.url} refuses: check KUBEFLOW_TOKEN and the namespace")
        if answer.status_code >= 300:
            raise PermanentError(f"Kubeflow at {self.url}, {path}: {answer.status_code} {answer.text[:300]}")
        try:
            return answer.json() if answer.content else {}
        except ValueError as error:
            raise PermanentError(
                f"{self.url} does not answer as Kubeflow Pipelines does: check KUBEFLOW_URL"
            ) from error


def _named(name: str) -> dict[str, str]:
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    return {"filter": json.dumps({"predicates": [predicate]})}


def _read(answer: Mapping[str, Any]) -> PipelineRun:
    tasks = answer.get("run_details", {}).get("task_details") or []
    errors = [f"{t.get('display_name')}: {t['error'].get('message', '')}" for t in tasks if t.get("error")]
    error = "; ".join(filter(None, [answer.get("error", {}).get("message", ""), *errors]))
    return PipelineRun(
        answer["run_id"],
        answer.get("display_name", ""),
        answer.get("state", "PENDING"),
        error,
        {task["display_name"]: task.get("state", "PENDING") for task in tasks},
        {task["display_name"]: seconds for task in tasks if (seconds := _seconds(task)) is not None},
    )


def _seconds(task: Mapping[str, Any]) -> float | None:
    if not (task.get("start_time") and task.get("end_time")):
        return None
    started, ended = (datetime.fromisoformat(task[key]) for key in ("start_time", "end_time"))
    # what has not ended has the first moment of time
    return (ended - started).total_seconds() if ended >= started else None


def _why(run: PipelineRun) -> str:
    failed = [name for name, state in run.steps.items() if state in BAD_ENDS]
    what = "failed" if run.state == "FAILED" else "was stopped"
    where = f" at {', '.join(failed)}" if failed else ""
    return f"{what}{where}{': ' * bool(run.error)}{run.error}"
