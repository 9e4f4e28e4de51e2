import json

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry.aliases import CHALLENGER, CHAMPION
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import BAD, BEST, BETTER, GOOD, WORSE

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(params=ENGINES)
def anywhere(request):
    return request.getfixturevalue("workshop" if request.param == "embedded" else "on_server")


def test_the_first_good_model_becomes_champion_and_a_surely_better_one_replaces_it(anywhere):
    assert (anywhere.in_use, anywhere.history) == (None, [])

    assert anywhere.made(BETTER).action == "promoted"
    assert anywhere.made(BEST).action == "promoted"

    assert anywhere.in_use == BEST
    assert anywhere.history == [("promoted", 1, 1), ("promoted", 2, 2)]


def test_a_model_below_the_gate_leaves_the_champion_and_becomes_challenger_or_nothing(anywhere):
    anywhere.made(BETTER)

    staged, refused = anywhere.made(WORSE), anywhere.made(BAD)

    assert anywhere.in_use == BETTER
    assert anywhere.history == [("promoted", 1, 1), ("staged", 2, 1), ("kept", None, 1)]
    assert (staged.outcome, refused.outcome) == ("staging", "retrain")
    assert anywhere.registry.version(tiny, CHALLENGER).version == "2"


def test_rollback_goes_back_one_champion_at_a_time(anywhere):
    for level in (GOOD, BETTER, BEST):
        anywhere.registry.promote(tiny, anywhere.registry.register(tiny, anywhere.judged(level)[0]).version)
    assert anywhere.in_use == BEST

    row = anywhere.registry.rollback(tiny, reason="wrong answers", by="lead")
    assert (anywhere.in_use, row.champion_before, row.champion_after) == (BETTER, 3, 2)
    anywhere.registry.rollback(tiny)

    assert anywhere.in_use == GOOD
    assert anywhere.history[-2:] == [("rolled_back", 2, 2), ("rolled_back", 1, 1)]
    assert anywhere.registry.decisions_of(tiny)[-2].decided_by == "lead"
    with pytest.raises(PermanentError, match="no champion before version 1"):
        anywhere.registry.rollback(tiny)


def promoted(workshop, *levels):
    """Versions of these levels, the first time registered and made champion by hand, in this order."""
    for level in levels:
        known = {row.version: row for row in workshop.registry.decisions_of(tiny)}
        version = (
            level if level in known else workshop.registry.register(tiny, workshop.judged(BEST)[0]).version
        )
        workshop.registry.promote(tiny, version)


def rolled_back(workshop):
    """Versions in use, one rollback after the other, until there is none before."""
    while True:
        try:
            yield workshop.registry.rollback(tiny).champion_after
        except PermanentError as error:
            assert "no champion before version" in str(error)
            return


@pytest.mark.parametrize(
    ("in_turn", "back"),
    [((1, 2, 2), [1]), ((1, 2, 3, 2), [3, 2, 1]), ((1, 2, 1, 1), [2, 1]), ((1, 1), [])],
    ids=str,
)
def test_rollback_goes_through_all_that_were_in_use_whatever_was_promoted_again(workshop, in_turn, back):
    promoted(workshop, *in_turn)

    assert list(rolled_back(workshop)) == back


def test_what_was_rolled_back_is_no_forerunner_of_the_next_champion(workshop):
    promoted(workshop, 1, 2)
    workshop.registry.rollback(tiny)
    promoted(workshop, 3, 3, 2)

    assert list(rolled_back(workshop)) == [3, 1]


def test_rollback_passes_over_a_version_that_somebody_deleted(workshop):
    promoted(workshop, 1, 2, 3)
    with workshop.registry.tracking.open() as client:
        client.delete_model_version("bsl-tiny", "2")

    assert list(rolled_back(workshop)) == [1]


def test_a_champion_that_somebody_made_in_mlflow_can_be_rolled_back(workshop):
    promoted(workshop, 1, 2)
    version = workshop.registry.register(tiny, workshop.judged(BEST)[0]).version
    with workshop.registry.tracking.open() as client:
        client.set_registered_model_alias("bsl-tiny", CHAMPION, version)

    assert list(rolled_back(workshop)) == [2, 1]


def test_repeating_a_decision_changes_nothing_not_even_after_a_rollback(workshop):
    workshop.made(BETTER)
    run, decision = workshop.judged(BEST)
    first = workshop.registry.apply(tiny, run, decision)
    assert workshop.registry.apply(tiny, run, decision) == first
    workshop.registry.rollback(tiny)

    workshop.registry.apply(tiny, run, decision)

    assert workshop.in_use == BETTER
    assert [action for action, *_ in workshop.history] == ["promoted", "promoted", "rolled_back"]


def test_nothing_to_roll_back_is_said(workshop):
    with pytest.raises(PermanentError, match="bsl-tiny has no champion"):
        workshop.registry.rollback(tiny)
    with pytest.raises(PermanentError, match="bsl-tiny has no champion"):
        workshop.registry.load(tiny)
    with pytest.raises(PermanentError, match="no version 7"):
        workshop.registry.promote(tiny, 7)


def test_a_model_that_was_compared_with_another_champion_does_not_replace_this_one(workshop):
    workshop.made(BETTER)
    late = workshop.judged(BEST)
    workshop.registry.promote(tiny, workshop.registry.register(tiny, workshop.judged(GOOD)[0]).version)

    row = workshop.registry.apply(tiny, *late)

    assert (row.action, workshop.in_use) == ("kept", GOOD)
    assert "the champion is version 2 by now, not 1" in row.reason


def test_a_run_holds_parameters_data_metrics_slices_baselines_pictures_and_card(anywhere):
    run_id, decision = anywhere.judged(BEST)

    with anywhere.registry.tracking.open() as client:
        run = client.get_run(run_id)
        files = {file.path for file in client.list_artifacts(run_id)}
        pictures = {file.path for file in client.list_artifacts(run_id, "pictures")}
    assert run.info.status == "FINISHED"
    assert run.data.params == {"level": "10", "seed": "7", "code_version": "1"}
    assert run.data.tags["dataset_revision"] == "2026-01-04/abc"
    assert run.data.tags["git_commit"] == "c0ffee"
    assert json.loads(run.data.tags["rows"]) == {"train": 31}
    assert run.data.metrics["accuracy"] == 1.0
    assert run.data.metrics["slice/module/Общий/accuracy"] == 1.0
    assert run.data.metrics["baseline/never long/accuracy"] == 0.5
    assert run.inputs.dataset_inputs[0].dataset.digest == "2026-01-04/abc"
    assert files == {"decision.json", "evaluation.json", "model_card.md", "pictures"}
    assert pictures == {"pictures/Right_wrong.md", "pictures/Right_wrong.svg"}
    assert decision.outcome == "production"


def test_a_version_has_a_signature_an_example_a_card_and_where_it_comes_from(anywhere):
    anywhere.made(BEST)

    from mlflow.models import Model

    champion = anywhere.registry.champion(tiny)
    model = Model.load(str(anywhere.registry.files(champion)))
    with anywhere.registry.tracking.open() as client:
        version = client.get_model_version(champion.model, champion.version)
    assert model.signature.inputs.input_names() == ["lines", "module"]
    assert model.signature.outputs.to_dict() == [
        {"type": "boolean", "name": "is_long", "required": True},
        {"type": "array", "items": {"type": "string"}, "name": "words", "required": True},
    ]
    assert list(model.load_input_example(str(anywhere.registry.files(champion)))["lines"]) == [1, 2, 3]
    assert version.description.startswith("# tiny (code version 1)")
    assert CHAMPION in version.aliases
    wanted = {"dataset_revision": "2026-01-04/abc", "git_commit": "c0ffee", "outcome": "production"}
    assert wanted.items() <= champion.tags.items()
    assert champion.metrics["accuracy"] == 1.0


def test_a_row_tells_what_was_decided_and_why(workshop):
    workshop.made(BETTER)
    row = workshop.made(BEST)

    stored = workshop.registry.decisions_of(tiny)[-1]

    assert stored == row
    assert (stored.metric, stored.value, stored.champion_value) == ("accuracy", 1.0, 0.95)
    assert 0 < stored.difference_low < 0.05 < stored.difference_high
    assert (stored.dataset_revision, stored.git_commit) == ("2026-01-04/abc", "c0ffee")
    assert {gate["name"] for gate in stored.gates} > {"threshold", "beats never long", "no slice worse"}
    assert stored.metrics["accuracy"] == 1.0


def test_a_fit_is_logged_once_for_its_key(workshop):
    first = workshop.registry.log(workshop.fit(BEST, key="it's fit 1"))

    assert workshop.registry.log(workshop.fit(BEST, key="it's fit 1")) == first
    assert workshop.registry.log(workshop.fit(BEST, key="fit 2")) != first


def test_an_alias_that_somebody_moved_in_mlflow_is_recorded_and_respected(workshop):
    workshop.made(BETTER)
    workshop.made(BEST)
    with workshop.registry.tracking.open() as client:
        client.set_registered_model_alias("bsl-tiny", CHAMPION, "1")

    workshop.made(BAD)

    assert workshop.in_use == BETTER
    assert workshop.history[2:] == [("moved_outside", 1, 1), ("kept", None, 1)]


def test_two_installations_on_one_server_have_models_of_their_own(on_server, mlflow_server):
    from ai_stack_assets.domain.training.registry.registry import Registry

    other = Registry(on_server.registry.tracking, on_server.registry.decisions, prefix="other-")
    on_server.made(BEST)

    assert on_server.registry.champion(tiny)
    assert other.champion(tiny) is None
    run = on_server.registry.champion(tiny).run_id
    assert on_server.registry.link(run).startswith(f"{mlflow_server.url}/#/experiments/")
