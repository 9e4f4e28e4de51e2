"""Every task under the same bad input: it says in words what is missing, or learns from what is there. No task has an own answer
to any of it: what one of them does, its own tests tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets_tests.domain.training.change_risk import test_change_risk as of_risk
from ai_stack_assets_tests.domain.training.classifier import methods as of_classifier
from ai_stack_assets_tests.domain.training.embeddings import corpus
from ai_stack_assets_tests.domain.training.regressor import methods as of_regressor

LABEL = {
    "classifier": "subsystem",
    "regressor": "target",
    "change_risk": "is_changed",
    "embeddings": "query_terms",
}
"""What is learned: the column that is made one-sided, or constant."""


@dataclass(frozen=True)
class Subject:
    """A task with examples that it learns from in a second or two."""

    name: str
    sets: Sets
    parameters: Mapping[str, Any]

    @property
    def task(self) -> Any:
        return tasks.load(self.name)

    def fit(self, checkpoint: Path | None = None, **sets: pa.Table) -> Any:
        changed = replace(self.sets, **sets)
        return self.task.fit(changed, self.parameters, seed=1, checkpoint=checkpoint, progress=lambda _: None)

    def answers(self, model: Any) -> str:
        return repr(model.predict(self.sets.test).to_pylist())


@pytest.fixture(scope="module", params=tasks.NAMES)
def subject(request: pytest.FixtureRequest) -> Subject:
    risk = of_risk.FAST, lambda: Sets(of_risk.state(2023), of_risk.state(2024), of_risk.state(2025))
    made = {
        "embeddings": (corpus.TUNED, corpus.sets),
        "classifier": ({}, of_classifier.sets),
        "regressor": ({"rounds": 40, "least_rows": 5}, of_regressor.sets),
        "change_risk": risk,
    }
    parameters, sets = made[request.param]
    return Subject(request.param, sets(), parameters)


@pytest.fixture(scope="module")
def fitted(subject: Subject) -> str:
    """What a model of whole examples answers."""
    return subject.answers(subject.fit())


def with_label(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    at = rows.schema.get_field_index(LABEL[name])
    return rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))


def one_and_the_rest(subject: Subject) -> pa.Table:
    """Only one example differs from all others."""
    labels = subject.sets.train[LABEL[subject.name]].to_pylist()
    one, other = labels[0], next(label for label in labels if label and label != labels[0])
    if subject.name == "embeddings":  # one described method; the others are what it is found among
        one, other = other, []
    return with_label(subject.sets.train, subject.name, [one, *[other] * (len(labels) - 1)])


def test_a_class_with_one_example_is_learned_from(subject: Subject) -> None:
    model = subject.fit(train=one_and_the_rest(subject))
    answers = model.predict(subject.sets.test)
    assert answers.num_rows == subject.sets.test.num_rows
    for column in answers.columns:
        numbers = column.combine_chunks().flatten() if pa.types.is_fixed_size_list(column.type) else column
        if pa.types.is_floating(numbers.type):
            assert np.isfinite(numbers.drop_null().to_numpy()).all()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused_by_name(subject: Subject, split: str) -> None:
    with pytest.raises(PermanentError, match=rf"{split} set .*empty.*(add configurations|load more years)"):
        subject.fit(**{split: getattr(subject.sets, split).slice(0, 0)})


@pytest.mark.parametrize("subject", ["classifier", "regressor", "change_risk"], indirect=True)
def test_one_label_for_all_is_refused_with_what_to_add(subject: Subject) -> None:
    """Embeddings have no labels: that no method is described is among their own tests."""
    rows = subject.sets.train
    label = {"classifier": "Валюты", "regressor": 0.0, "change_risk": False}[subject.name]
    rows = with_label(rows, subject.name, [label] * rows.num_rows)
    if subject.name == "regressor":  # its target is computed, and refused, before it is fitted
        at = rows.schema.get_field_index("cyclomatic")
        rows = rows.set_column(at, rows.schema.field(at), pa.array([3] * rows.num_rows, pa.int32()))
        rows = rows.drop_columns(["target"])
    with pytest.raises(PermanentError, match=r"add configurations|load more years"):
        subject.fit(train=subject.task.prepare(rows))


def test_numbers_that_are_none_are_refused_by_name_or_not_looked_at(subject: Subject, fitted: str) -> None:
    broken = subject.sets.train
    for name in definitions.names(definitions.NUMBER):
        at = broken.schema.get_field_index(name)
        if at >= 0 and pa.types.is_floating(broken.schema.field(at).type):
            column = pa.array([float("nan")] * broken.num_rows, broken.schema.field(at).type)
            broken = broken.set_column(at, broken.schema.field(at), column)
    if subject.name == "change_risk":
        with pytest.raises(PermanentError, match="comment_share is null or not finite in 240 of 240 rows"):
            subject.fit(train=broken)
    else:
        assert subject.answers(subject.fit(train=broken)) == fitted


@pytest.mark.parametrize("damage", ["empty", "other content", "cut"])
def test_a_damaged_checkpoint_begins_the_fit_anew(
    subject: Subject, fitted: str, tmp_path: Path, damage: str
) -> None:
    subject.fit(checkpoint=tmp_path)
    for file in {*tmp_path.iterdir(), tmp_path / "state.npz"}:
        content = file.read_bytes() if file.exists() else b""
        file.unlink(missing_ok=True)
        file.write_bytes(
            {"empty": b"", "other content": b"nothing"}.get(damage, content[: len(content) // 2])
        )
    assert subject.answers(subject.fit(checkpoint=tmp_path)) == fitted
