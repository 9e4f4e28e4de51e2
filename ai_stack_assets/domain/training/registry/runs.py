"""One MLflow run per fit: parameters, data, metrics, slices, pictures, the model itself. What becomes of it: `registry`."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import msgspec

from ai_stack_assets.domain.common.processes import is_alive
from ai_stack_assets.domain.training.registry import packaging
from ai_stack_assets.domain.training.registry.provenance import code_revision

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from ai_stack_assets.domain.training.contract import Evaluation
    from ai_stack_assets.domain.training.evaluation.cost import Cost
    from ai_stack_assets.domain.training.evaluation.gates import Decision
    from ai_stack_assets.domain.training.registry.packaging import Fit

KEY, MODEL_ID, HOST, PROCESS = "fit", "model_id", "host", "process"
DATASET, COMMIT = "dataset_revision", "git_commit"
_DEAD_AFTER_MS = 24 * 3_600 * 1_000
"""A run of another machine that is still open by then is taken for killed."""
_MAX_TAG, _BATCH, _RUNS = 5_000, 100, 1_000
_IMAGE = re.compile(r"data:image/(svg\+xml|png)(;base64)?,([^)\s\"]+)")
_NOT_IN_KEYS = re.compile(r"[^\w.\- :/]")


def log(client: MlflowClient, experiment: str, model_name: str, fit: Fit) -> str:
    """Write a run with the fit and its model; returns its id. A fit that was logged already is not logged again.

    On any failure the run is marked as failed, when that can still be said, and nothing is registered.
    """
    _close_dead(client, experiment)
    if done := finished(client, experiment, fit.key):
        return done
    run = client.create_run(experiment, run_name=f"{fit.task.NAME} {time.strftime('%Y-%m-%d %H:%M')}")
    run_id = run.info.run_id
    try:
        _describe(client, run_id, fit)
        _log_model(client, experiment, run_id, model_name, fit)
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        with contextlib.suppress(Exception):  # what failed first is what is told
            client.set_terminated(run_id, "FAILED")
        raise
    return run_id


def log_evaluation(
    client: MlflowClient,
    run_id: str,
    evaluation: Evaluation,
    baselines: Mapping[str, Evaluation],
    decision: Decision | None = None,
    card: str = "",
    cost: Cost | None = None,
) -> None:
    """Add how good the model is to its run: metrics, those of slices and baselines, pictures, card. Repeating it is harmless."""
    from mlflow.entities import Metric

    model_id = client.get_run(run_id).data.tags.get(MODEL_ID)
    now = time.time_ns() // 1_000_000
    numbers = {_NOT_IN_KEYS.sub("/", name): value for name, value in _numbers(evaluation, baselines, cost)}
    metrics = [Metric(name, value, now, 0, model_id=model_id) for name, value in numbers.items()]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
    with tempfile.TemporaryDirectory() as folder:
        _write_files(Path(folder), evaluation, baselines, decision, card)
        client.log_artifacts(run_id, folder)
    if card:
        client.set_tag(run_id, "mlflow.note.content", card[:_MAX_TAG])


def runs_of(client: MlflowClient, experiment: str, filter_string: str = "") -> list[Run]:
    """The newest first, at most a thousand; deleted ones are left out."""
    return list(
        client.search_runs(
            [experiment], filter_string, max_results=_RUNS, order_by=["attributes.start_time DESC"]
        )
    )


def _describe(client: MlflowClient, run_id: str, fit: Fit) -> None:
    from mlflow.entities import Metric, Param, RunTag

    revision = fit.revision or code_revision()
    facts = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fit.facts.items()
    }
    tags = {
        **facts,
        DATASET: _dataset(fit.facts),
        COMMIT: revision,
        "mlflow.source.git.commit": revision.partition("-")[0],
        KEY: fit.key,
        HOST: socket.gethostname(),
        PROCESS: str(os.getpid()),
    }
    parameters = {**fit.parameters, "seed": fit.seed, "code_version": fit.task.CODE_VERSION}
    client.log_batch(
        run_id,
        metrics=[Metric("fit_seconds", fit.seconds, time.time_ns() // 1_000_000, 0)],
        params=[Param(name, str(value)) for name, value in parameters.items()],
        tags=[RunTag(_NOT_IN_KEYS.sub("/", name), value[:_MAX_TAG]) for name, value in tags.items() if value],
    )
    _name_dataset(client, run_id, fit.facts)


def _name_dataset(client: MlflowClient, run_id: str, facts: Mapping[str, Any]) -> None:
    """For the column `Dataset` of the experiment's page."""
    from mlflow.entities import Dataset, DatasetInput

    revision = _dataset(facts)
    if revision:
        dataset = Dataset("bsl", revision[:36], "local", json.dumps({"revision": revision}))
        client.log_inputs(run_id, [DatasetInput(dataset)])


def _dataset(facts: Mapping[str, Any]) -> str:
    """The version of the dataset; of the examples, where they do not come from one."""
    return str(next((facts[name] for name in (DATASET, "dataset", "examples") if facts.get(name)), ""))


def _log_model(client: MlflowClient, experiment: str, run_id: str, name: str, fit: Fit) -> None:
    parameters = {name: str(value) for name, value in fit.parameters.items()}
    model = client.create_logged_model(experiment, name, run_id, params=parameters)
    client.set_tag(run_id, MODEL_ID, model.model_id)
    with tempfile.TemporaryDirectory() as folder:
        packaging.package(fit, Path(folder, "packed"), run_id=run_id, model_id=model.model_id)
        client.log_model_artifacts(model.model_id, str(Path(folder, "packed")))
    client.finalize_logged_model(model.model_id, "READY")


def finished(client: MlflowClient, experiment: str, key: str) -> str:
    """The run of this fit that was logged to its end; empty when there is none."""
    found = runs_of(client, experiment, f'tags.{KEY} = "{key}"') if key else []
    return next((run.info.run_id for run in found if run.info.status == "FINISHED"), "")


def _close_dead(client: MlflowClient, experiment: str) -> None:
    """Runs whose process is gone show as killed, not as running for ever."""
    oldest = time.time_ns() // 1_000_000 - _DEAD_AFTER_MS
    for run in runs_of(client, experiment, "attributes.status = 'RUNNING'"):
        tags = run.data.tags
        is_ours = tags.get(HOST) == socket.gethostname()
        is_dead = is_ours and not is_alive(int(tags.get(PROCESS, 0)))
        if is_dead or run.info.start_time < oldest:
            client.set_terminated(run.info.run_id, "KILLED")


def _numbers(
    evaluation: Evaluation, baselines: Mapping[str, Evaluation], cost: Cost | None
) -> Iterator[tuple[str, float]]:
    """`configuration=trade` becomes `slice/configuration/trade/mrr_at_10`: MLflow groups by what is before a slash."""
    yield from evaluation.metrics.items()
    yield "test_rows", evaluation.rows
    for name, values in evaluation.slices.items():
        yield from ((f"slice/{name}/{metric}", value) for metric, value in values.items())
    for name, baseline in baselines.items():
        yield from ((f"baseline/{name}/{metric}", value) for metric, value in baseline.metrics.items())
    if cost:
        yield from ((f"cost/{name}", value) for name, value in msgspec.to_builtins(cost).items())


def _write_files(
    folder: Path,
    evaluation: Evaluation,
    baselines: Mapping[str, Evaluation],
    decision: Decision | None,
    card: str,
) -> None:
    said = {
        "metrics": dict(evaluation.metrics),
        "rows": evaluation.rows,
        "slices": {name: dict(values) for name, values in evaluation.slices.items()},
        "baselines": {name: dict(baseline.metrics) for name, baseline in baselines.items()},
    }
    (folder / "evaluation.json").write_bytes(msgspec.json.format(msgspec.json.encode(said)))
    if decision:
        (folder / "decision.json").write_bytes(msgspec.json.format(decision.as_json().encode()))
    if card:
        (folder / "model_card.md").write_text(card, encoding="utf-8")
    (folder / "pictures").mkdir()
    for title, markdown in evaluation.pictures.items():
        name = re.sub(r"[^\w\-]+", "_", title)[:80]
        (folder / "pictures" / f"{name}.md").write_text(f"# {title}\n\n{markdown}\n", encoding="utf-8")
        # MLflow's page shows picture files, not those inside markdown
        for number, (kind, is_base64, data) in enumerate(_IMAGE.findall(markdown)):
            content = base64.b64decode(data) if is_base64 else unquote_to_bytes(data)
            suffix = {"svg+xml": "svg"}.get(kind, kind)
            (folder / "pictures" / f"{name}{number or ''}.{suffix}").write_bytes(content)
