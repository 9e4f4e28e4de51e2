"""Operations on models as ops and jobs: what they leave in MLflow, and what they refuse."""
# ruff: noqa: F811  (fixtures of the registry's tests, imported by name)

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import dagster as dg

from ai_stack_assets.components.mlflow_operators import OPS, ModelJob
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import (  # noqa: F401
    BETTER,
    GOOD,
    Workshop,
    database,
    decisions,
    empty_mlflow,
    quick,
    workshop,
)

MODEL = "bsl-tiny"


def run(workshop: Workshop, *operations: tuple[str, dict[str, Any]]) -> dg.ExecuteInProcessResult:
    document = {
        "name": "tested",
        "description": "Operations.",
        "operations": [{"op": op, "config": config} for op, config in operations],
    }
    job = ModelJob.resolve_from_dict(document).job()
    resource = dg.ResourceDefinition.hardcoded_resource(SimpleNamespace(open=lambda: workshop.registry))
    return job.execute_in_process(resources={"mlflow": resource}, raise_on_error=False)


def refusal(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    return str(failed.step_failure_data.error)


def versions(workshop: Workshop, *levels: int) -> list[int]:
    """Registered models, none of them in use yet."""
    return [int(workshop.registry.register(tiny, workshop.judged(level)[0]).version) for level in levels]


def alias(workshop: Workshop, name: str) -> int | None:
    found = workshop.registry.version(tiny, name)
    return int(found.version) if found else None


def test_metrics_are_logged_to_a_run_that_is_made_for_them(workshop: Workshop) -> None:
    result = run(workshop, ("log_metrics", {"experiment": "ours", "metrics": {"r2": 0.3, "mae": 0.5}}))
    with workshop.registry.tracking.open() as client:
        logged = client.get_run(result.output_for_node("step_1_log_metrics"))
    assert logged.data.metrics == {"r2": 0.3, "mae": 0.5}
    assert logged.info.status == "FINISHED"


def test_metrics_are_added_to_a_run_that_is_there(workshop: Workshop) -> None:
    with workshop.registry.tracking.open() as client:
        run_id = client.create_run(workshop.registry.tracking.experiment(client, "ours")).info.run_id
    assert run(workshop, ("log_metrics", {"run_id": run_id, "metrics": {"r2": 0.3}, "step": 4})).success
    with workshop.registry.tracking.open() as client:
        assert [point.step for point in client.get_metric_history(run_id, "r2")] == [4]
        assert client.get_run(run_id).info.status == "RUNNING"


def test_a_run_that_is_not_there_is_refused(workshop: Workshop) -> None:
    assert "nothing" in refusal(run(workshop, ("log_metrics", {"run_id": "nothing", "metrics": {"r2": 0.3}})))


def test_an_alias_is_moved_and_the_version_before_is_told(workshop: Workshop) -> None:
    first, second = versions(workshop, GOOD, BETTER)
    operation = {"registered_model": MODEL, "alias": "candidate"}
    assert (
        run(workshop, ("transition_alias", {**operation, "version": first})).output_for_node(
            "step_1_transition_alias"
        )
        == ""
    )
    result = run(workshop, ("transition_alias", {**operation, "version": second}))
    assert result.output_for_node("step_1_transition_alias") == str(first)
    assert alias(workshop, "candidate") == second


def test_a_new_champion_is_a_decision_that_is_recorded_with_its_reason(
    workshop: Workshop, quick: None
) -> None:
    [version] = versions(workshop, GOOD)
    operation = {"registered_model": MODEL, "version": version, "reason": "asked for by the team"}
    assert run(workshop, ("transition_alias", operation)).success
    [row] = workshop.registry.decisions_of(tiny)
    assert (row.action, row.reason) == ("promoted", "asked for by the team")
    assert row.decided_by.startswith("Dagster run ")
    assert alias(workshop, "champion") == version


def test_a_version_that_is_not_there_moves_nothing(workshop: Workshop) -> None:
    versions(workshop, GOOD)
    result = run(workshop, ("transition_alias", {"registered_model": MODEL, "version": 9}))
    assert f"{MODEL} has no version 9" in refusal(result)
    assert alias(workshop, "champion") is None


def test_a_model_is_loaded_and_answers_as_its_signature_says(workshop: Workshop) -> None:
    [version] = versions(workshop, GOOD)
    wanted = {"registered_model": MODEL, "version": version, "inputs": ["lines"], "outputs": ["is_long"]}
    result = run(workshop, ("validate_model", wanted))
    assert result.output_for_node("step_1_validate_model") == f"models:/{MODEL}/{version}"


def test_a_column_that_the_signature_does_not_have_is_named(workshop: Workshop, quick: None) -> None:
    [version] = versions(workshop, GOOD)
    wanted = {"registered_model": MODEL, "version": version, "outputs": ["subsystem"]}
    said = refusal(run(workshop, ("validate_model", wanted)))
    assert "'subsystem' is not among its outputs: is_long" in said


def test_operations_run_one_after_another_and_stop_at_the_first_that_fails(
    workshop: Workshop, quick: None
) -> None:
    [version] = versions(workshop, GOOD)
    of_model = {"registered_model": MODEL, "version": version}
    result = run(
        workshop,
        ("validate_model", {**of_model, "inputs": ["colour"]}),
        ("transition_alias", of_model),
    )
    assert "colour" in refusal(result)
    assert alias(workshop, "champion") is None


def test_each_operation_says_what_it_does() -> None:
    assert set(OPS) == {"log_metrics", "transition_alias", "validate_model"}
    assert all(op.description for op in OPS.values())
