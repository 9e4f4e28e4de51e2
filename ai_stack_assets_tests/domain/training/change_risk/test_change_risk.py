"""Change risk: that it orders, that it does without a past, what it refuses, and that it comes back from disk as it was."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.change_risk import measures, model, task
from ai_stack_assets.domain.training.change_risk.columns import LABEL, PAST
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features.compute import of_methods
from ai_stack_assets_tests.domain.training.regressor.methods import method

FAST = {**task.PARAMETERS, "rounds": 40, "least_rows": 10}
ROWS = 240


def state(year: int) -> pa.Table:
    """Methods of which those change that changed before, and some of those that query."""
    chance = random.Random(year)
    made, past, label = [], {name: [] for name in PAST}, []
    for i in range(ROWS):
        hot, tangled = chance.random() < 0.3, chance.random() < 0.3
        made.append(
            method(f"Метод{i}", 12 if tangled else chance.randint(0, 3), object=f"CommonModule.М{i % 7}")
        )
        for name in PAST:
            past[name].append(chance.random())
        past["changes_12m"][-1] = float(hot)
        past["days_since_change"][-1] = 20.0 if hot else None
        label.append(chance.random() < 0.1 + 0.6 * hot + 0.2 * tangled)
    rows = of_methods(made)
    for name, column in past.items():
        rows = rows.append_column(name, pa.array(column, pa.float32()))
    rows = rows.append_column("snapshot", pa.array([f"{year}-03-01"] * ROWS))
    return rows.append_column(LABEL, pa.array(label))


@pytest.fixture(scope="module")
def examples() -> Sets:
    return Sets(pa.concat_tables([state(2022), state(2023)]), state(2024), state(2025))


@pytest.fixture(scope="module")
def risk(examples: Sets) -> model.ChangeRisk:
    return fitted(examples)


def fitted(examples: Sets) -> model.ChangeRisk:
    return task.fit(examples, FAST, seed=1, progress=lambda _: None)


def test_what_changes_is_ordered_before_what_does_not_and_better_than_by_size(risk, examples):
    found = task.evaluate(risk, examples.test, seed=1)
    beaten = task.baselines(examples, examples.test, seed=1)
    assert found.metrics["auc"] > 0.7
    assert found.metrics["auc"] > beaten["size only"].metrics["auc"] + 0.05
    assert set(beaten) == {"size only", "changed before"}


def test_code_without_a_past_is_judged_by_the_code(risk, examples):
    code = examples.test.drop_columns([*PAST, LABEL])
    found = risk.predict(code)
    assert found["knows_past"].to_pylist() == [False] * ROWS
    assert risk.predict(examples.test)["knows_past"][0].as_py()
    tangled = examples.test["cyclomatic"].to_numpy() > 9
    by_row = found["risk"].to_numpy()
    assert by_row[tangled].mean() > by_row[~tangled].mean()


def test_risks_are_probabilities_and_percentiles_follow_them(risk, examples):
    found = risk.predict(examples.test)
    risks, percentiles = (found[name].to_numpy() for name in ("risk", "risk_percentile"))
    assert 0 <= risks.min() <= risks.max() <= 1
    assert 0 <= percentiles.min() <= percentiles.max() <= 100
    assert np.all(np.diff(percentiles[np.argsort(risks)]) >= 0)


def test_the_reasons_of_a_high_risk_are_told_by_column_and_value(risk, examples):
    order = np.argsort(-risk.predict(examples.test)["risk"].to_numpy())[:5]
    said = risk.reasons(examples.test.take(order))
    assert all("changes_12m 1" in line or "days_since_change 20" in line for line in said)
    assert all(line.count(",") <= 2 for line in said)


def test_the_picture_puts_size_beside_the_risk(risk, examples):
    [picture] = task.evaluate(risk, examples.test, seed=1).pictures.values()
    assert "largest first" in picture
    assert "5%" in picture


def test_the_same_seed_gives_the_same_model(risk, examples):
    again = fitted(examples).predict(examples.test)
    assert np.allclose(again["risk"].to_numpy(), risk.predict(examples.test)["risk"].to_numpy(), atol=1e-6)


def test_a_saved_model_says_the_same(risk, examples, tmp_path: Path):
    risk.save(tmp_path)
    assert task.load(tmp_path).predict(examples.test) == risk.predict(examples.test)


@pytest.mark.parametrize("name", [model.FACTS, model.WORDS, "with_past.txt", "code_alone.txt"])
def test_a_damaged_file_is_named(risk, tmp_path: Path, name):
    risk.save(tmp_path)
    file = tmp_path / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(PermanentError, match=name.replace(".", r"\.")):
        task.load(tmp_path)


def test_todays_code_is_no_example(examples):
    with pytest.raises(PermanentError, match=r"is_changed are no examples .* not from the dataset's splits"):
        task.prepare(examples.test.drop_columns([LABEL]))


@pytest.mark.parametrize(
    ("changed", "said"), [(False, "none of the methods changed"), (True, "all of the methods")]
)
def test_a_constant_label_is_refused(examples, changed, said):
    at = examples.test.schema.get_field_index(LABEL)
    constant = examples.test.set_column(at, LABEL, pa.array([changed] * ROWS))
    with pytest.raises(PermanentError, match=said):
        task.prepare(constant)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_named(examples, split):
    parts = {name: getattr(examples, name) for name in ("train", "validation", "test")}
    parts[split] = parts[split].slice(0, 0)
    with pytest.raises(PermanentError, match=f"the {split} set of change risk is empty"):
        fitted(Sets(**parts))


def test_a_feature_that_is_no_number_is_refused(examples):
    at = examples.train.schema.get_field_index("comment_share")
    column = pa.array([float("nan"), *examples.train["comment_share"].to_pylist()[1:]], pa.float32())
    broken = examples.train.set_column(at, "comment_share", column)
    with pytest.raises(PermanentError, match="comment_share is null or not finite in 1 of"):
        fitted(Sets(broken, examples.validation, examples.test))


def test_the_area_under_the_curve_counts_ties_by_half_and_repetitions_in_full():
    auc = measures.AucOf(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert auc(np.arange(4)) == pytest.approx(3.5 / 4)
    assert auc(np.array([0, 0, 3])) == 1
    assert np.isnan(auc(np.array([0, 1])))
