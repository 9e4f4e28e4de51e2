import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.evaluation import cost
from ai_stack_assets.domain.training.evaluation.gates import Limits, decide
from ai_stack_assets.domain.training.evaluation.model_card import model_card
from ai_stack_assets_tests.domain.training import tiny


@pytest.fixture
def card() -> str:
    examples = tiny.examples()
    own, baselines = tiny.evaluate(tiny.Tiny(9), examples), tiny.baselines(None, examples)
    champion = tiny.evaluate(tiny.Tiny(12), examples)
    decision = decide(own, champion, Limits(target=0.9), metric="accuracy", baselines=baselines, against="4")
    return model_card(
        tiny,
        facts={"dataset": "2026-01-04/abc", "rows": {"train": 31_357}, "configurations": ["demo"]},
        parameters={"level": 9},
        evaluation=own,
        baselines=baselines,
        decision=decision,
        cost=cost.Cost(1.5, 20_000, 3.25),
    )


def test_a_card_says_why_this_target_and_when_not_to_trust_it(card):
    assert "## Target\n\nis_long: more than 10 lines." in card
    assert "## Limits\n\nCounts lines only." in card
    assert "Trained and tested on the code of demo" in card


def test_a_card_shows_the_model_beside_its_baselines_and_the_champion(card):
    assert "| this model | 0.95 |" in card
    assert "| never long | 0.5 |" in card
    assert "Against champion 4: +0.0500 [" in card


def test_a_card_shows_data_settings_cost_gates_and_the_worst_slice_first(card):
    assert "| rows | train: 31,357 |" in card
    assert "| level | 9 |" in card
    assert "1.5 ms for one method, 20,000 methods per second in bulk, 3.25 MB" in card
    assert "**production**" in card
    assert card.index("module=Форма") < card.index("module=Общий")


def test_a_task_without_words_has_the_docstring_of_its_module(monkeypatch):
    monkeypatch.delattr(tiny, "CARD")

    card = model_card(
        tiny, facts={}, parameters={}, evaluation=tiny.evaluate(tiny.Tiny(9), tiny.examples()), baselines={}
    )

    assert "The smallest task that keeps the contract" in card


def test_the_cost_of_a_model_is_measured_with_its_files(tmp_path):
    tiny.Tiny(9).save(tmp_path)
    (tmp_path / "weights.npz").write_bytes(bytes(2**20))

    found = cost.measure(tiny.Tiny(9), tiny.examples(), tmp_path)

    assert found.size_mb == pytest.approx(1, abs=0.01)
    assert found.latency_ms > 0
    assert found.rows_per_second > 0
    with pytest.raises(PermanentError, match="no examples"):
        cost.measure(tiny.Tiny(9), tiny.examples().slice(0, 0), tmp_path)
