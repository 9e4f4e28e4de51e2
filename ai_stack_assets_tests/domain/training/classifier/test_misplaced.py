import pyarrow as pa
import pytest

from ai_stack_assets.domain.training.classifier.misplaced import misplaced
from ai_stack_assets_tests.domain.training.classifier.methods import method, table


@pytest.fixture
def rows() -> pa.Table:
    return table([method("Печать", n) for n in range(4)])


def answers(*code: tuple[str, float]) -> pa.Table:
    return pa.table(
        {
            "subsystem": ["Печать"] * len(code),
            "code_subsystem": [name for name, _ in code],
            "code_score": pa.array([score for _, score in code], pa.float32()),
        }
    )


FOUND = (("Обмен", 0.91), ("Печать", 0.99), ("Валюты", 0.97), ("Валюты", 0.5))


def test_methods_that_look_like_another_subsystem_are_listed_the_surest_first(rows):
    listed = misplaced(rows, answers(*FOUND))

    assert listed["code_subsystem"].to_pylist() == ["Валюты", "Обмен"]
    assert listed["method_name"].to_pylist() == ["ЗаполнитьМакет2", "ЗаполнитьМакет0"]
    assert set(listed["subsystem"].to_pylist()) == {"Печать"}


def test_without_a_label_the_vote_of_the_object_counts(rows):
    at = rows.schema.get_field_index("subsystem")

    for unknown in (
        rows.drop_columns(["subsystem"]),
        rows.set_column(at, "subsystem", pa.nulls(4, pa.string())),
    ):
        assert misplaced(unknown, answers(*FOUND)).num_rows == 2


def test_the_least_score_is_a_choice(rows):
    assert misplaced(rows, answers(*FOUND), least=0.4).num_rows == 3
    assert misplaced(rows, answers(*FOUND), least=0.99).num_rows == 0
