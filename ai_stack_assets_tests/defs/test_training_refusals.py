"""A model that its gates refuse fails the run; the other tasks and all that follows go on, with the model in use."""

from __future__ import annotations

import dagster as dg

from ai_stack_assets.defs.training import after
from ai_stack_assets.orchestration import keys, training_runs
from ai_stack_assets_tests.defs.trainings import WEEK, champion, configure, train
from ai_stack_assets_tests.platform import LAKE, Platform, checks, made, metadata

USE = {
    keys.CLEANUP_JOB: [keys.CLEANUP],
    keys.FEATURES_JOB: [keys.FEATURES, keys.INFERENCE],
}


def refused(platform: Platform) -> dg.ExecuteInProcessResult:
    """A second week's run: the classifier gets better, the regressor much worse."""
    both = ("classifier", "regressor")
    assert platform.run(LAKE).success
    configure(platform, on=both, classifier={"offset": 2.5})
    assert train(platform).success
    configure(platform, on=both, regressor={"offset": 50})
    return train(platform, force=True)


def test_a_refusal_says_which_model_stays_and_what_follows_asks_that_one(training: Platform) -> None:
    result = refused(training)
    assert not result.success
    assert (champion(training, "classifier"), champion(training, "regressor")) == ("2", "1")

    evaluated = metadata(result, keys.EVALUATIONS["regressor"])
    assert evaluated["in_use"] == "version 1 stays in use" and evaluated["reason"]
    check = checks(result)["training/bsl/regressor_evaluation", "reaches_its_threshold"]
    assert check.description and check.description.endswith("version 1 stays in use")
    assert "in_use" not in metadata(result, keys.EVALUATIONS["classifier"])
    said = training_runs.message(training.instance, result.run_id, WEEK) or ""
    assert "- classifier: promoted" in said
    assert "- regressor: retrain" in said and said.rstrip().split("\n")[-2].endswith("version 1 stays in use")

    event = dg.DagsterEvent("PIPELINE_FAILURE", keys.TRAINING_JOB)
    context = dg.build_run_status_sensor_context(
        sensor_name=after.after_failure.name,
        dagster_event=event,
        dagster_instance=training.instance,
        dagster_run=result.dagster_run,
    )
    asked = [each.job_name for each in after.after_failure(context)]
    assert asked == list(USE)
    for job in asked:
        followed = training.run(USE[job], WEEK)
        assert followed.success and set(USE[job]) <= made(followed)
    models = metadata(followed, keys.INFERENCE)["models"]
    assert "| regressor | 1 |" in models and "| classifier | 2 |" in models


def test_without_a_model_in_use_a_refusal_says_so(training: Platform) -> None:
    configure(training, offset=50)
    result = train(training)
    assert not result.success
    assert metadata(result, keys.EVALUATIONS["regressor"])["in_use"] == "there is still no model in use"
