"""Rules name the column, the number and the rows; classes too rare to learn are told."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.features import compute
from ai_stack_assets.domain.training.validation_rules import Rules, classes, findings
from ai_stack_assets_tests.domain.training.makers import a_record, a_table

FEATURES = compute.compute(a_table([a_record(f"Метод{n}") for n in range(10)]))


def test_whole_rows_have_no_findings():
    assert findings(FEATURES, Rules(rows=10)) == []


def test_too_few_rows_are_found():
    (found,) = findings(FEATURES)

    assert (found.rule, found.actual, found.threshold) == ("rows", 10, 1000)
    assert found.message == "10 rows, 1000 are needed"


def test_a_missing_column_is_found():
    (found,) = findings(FEATURES.drop(["lines"]), Rules(rows=1))

    assert (found.rule, found.column) == ("column", "lines")


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_nulls_and_what_is_not_finite_are_found_with_their_rows(value: float | None):
    place = FEATURES.schema.get_field_index("comment_share")
    spoilt = FEATURES.set_column(place, "comment_share", pa.array([value] * 3 + [0.5] * 7, pa.float32()))

    (found,) = findings(spoilt, Rules(rows=1, null_share=0.2))

    assert (found.rule, found.column, found.actual) == ("nulls", "comment_share", 0.3)
    assert found.sample == FEATURES["content_hash"].to_pylist()[:3]
    assert findings(spoilt, Rules(rows=1, null_shares={"comment_share": 0.3, "changed_at": 1})) == []


def labelled(*values: str | None) -> pa.Table:
    return pa.table({"subsystem": pa.array(values, pa.string())})


def test_classes_with_one_sample_are_told_from_those_that_can_be_learned():
    assert classes(labelled("А", "А", "Б", "Б", "Б", "В", None), "subsystem") == (["А", "Б"], {"В": 1})


def test_no_labels_at_all_say_what_to_extract():
    with pytest.raises(
        PermanentError, match="none of 2 methods has a label 'subsystem': extract a configuration"
    ):
        classes(labelled(None, None), "subsystem")


def test_one_class_alone_cannot_be_learned():
    with pytest.raises(PermanentError, match=r"1 of 3 classes have 2 examples or more.*now: А 2, Б 1, В 1"):
        classes(labelled("А", "А", "Б", "В"), "subsystem")
