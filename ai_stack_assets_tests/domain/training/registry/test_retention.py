import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets_tests.conftest import ENGINES
from ai_stack_assets_tests.domain.training import tiny
from ai_stack_assets_tests.domain.training.registry.conftest import BAD, BEST, BETTER, GOOD, WORSE

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(params=ENGINES)
def anywhere(request):
    return request.getfixturevalue("workshop" if request.param == "embedded" else "on_server")


def test_old_runs_go_but_never_the_champion_its_forerunner_or_the_challenger(anywhere):
    for level in (GOOD, BETTER, BEST):
        anywhere.registry.promote(tiny, anywhere.registry.register(tiny, anywhere.judged(level)[0]).version)
    anywhere.made(WORSE)
    for _ in range(3):
        anywhere.made(BAD)

    cleaned = anywhere.registry.cleanup(tiny, keep=1)

    assert cleaned.versions == ("1",)
    assert len(cleaned.runs) == 3
    assert anywhere.in_use == BEST
    anywhere.registry.rollback(tiny)
    assert anywhere.in_use == BETTER
    assert anywhere.registry.load(tiny, "challenger").level == WORSE


def test_the_one_to_roll_back_to_stays_when_the_champion_was_promoted_again(workshop):
    versions = [workshop.registry.register(tiny, workshop.judged(level)[0]).version for level in (GOOD, BEST)]
    for version in (*versions, versions[-1]):
        workshop.registry.promote(tiny, version)
    workshop.made(BAD)

    assert workshop.registry.cleanup(tiny, keep=1).versions == ()
    workshop.registry.rollback(tiny)
    assert workshop.in_use == GOOD


def test_the_files_of_what_goes_are_gone_and_its_decision_stays(workshop):
    for _ in range(3):
        workshop.made(BAD)
    artifacts = workshop.registry.tracking.folder / "artifacts"
    before = len(list(artifacts.rglob("level.json")))

    workshop.registry.cleanup(tiny, keep=1)

    assert (before, len(list(artifacts.rglob("level.json")))) == (3, 1)
    assert len(list(artifacts.rglob("model_card.md"))) == 1
    assert len(workshop.history) == 3
    assert workshop.registry.cleanup(tiny, keep=1).runs == ()


def test_at_least_one_run_is_kept(workshop):
    with pytest.raises(PermanentError, match="at least one run"):
        workshop.registry.cleanup(tiny, keep=0)


def test_a_version_with_any_alias_stays(workshop):
    first = workshop.registry.register(tiny, workshop.judged(GOOD)[0])
    workshop.made(BEST)
    with workshop.registry.tracking.open() as client:
        client.set_registered_model_alias("bsl-tiny", "audited", first.version)

    assert workshop.registry.cleanup(tiny, keep=1).versions == ()
    assert workshop.registry.load(tiny, "audited").level == GOOD
