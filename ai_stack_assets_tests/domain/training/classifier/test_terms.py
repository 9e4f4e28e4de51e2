import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.classifier.terms import PLACE, TEXT, Terms, name_of
from ai_stack_assets_tests.domain.training.classifier.methods import method, some, table


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("Catalog.Валюты.Form.Форма", "Валюты"),
        ("CommonModule.Обмен", "Обмен"),
        ("Обмен", "Обмен"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_form_is_called_like_the_object_that_owns_it(owner, name):
    assert name_of(owner) == name


@pytest.mark.parametrize("view", [TEXT, PLACE])
def test_rows_have_length_one_and_are_the_same_whenever_they_are_made(view):
    rows = table(some(range(6)))
    terms, fitted = Terms.fitted(rows, view, least=2)
    again = terms.matrix(rows)

    assert abs(fitted - again).max() < 1e-6
    assert np.sqrt(again.multiply(again).sum(axis=1)) == pytest.approx(1)
    assert abs(terms.matrix(rows.slice(4, 2)) - again[4:6]).max() < 1e-6


def test_the_text_has_nothing_of_the_object_and_the_place_nothing_else():
    here, there = table([method("Валюты", 1)]), table([method("Валюты", 1, owner="Catalog.Склады")])
    other = table([method("Печать", 1, owner="Catalog.Склады")])

    def matrix(view, rows):
        return Terms.fitted(table(some(range(6))), view, least=2)[0].matrix(rows).toarray()

    assert (matrix(TEXT, here) == matrix(TEXT, there)).all()
    assert (matrix(PLACE, there) == matrix(PLACE, other)).all()
    assert (matrix(PLACE, here) != matrix(PLACE, there)).any()


def test_what_is_in_few_rows_is_left_out_but_of_what_is_introduced():
    rows = table([*some(range(6)), method("Редкая", 1, words=("Склад", "Полка", "Место"))])
    known = [set(Terms.fitted(rows, TEXT, 3, n)[0].known.to_pylist()) for n in (0, 1)]

    assert "полк" not in known[0]
    assert "полк" in known[1]


def test_terms_that_nobody_knows_give_an_empty_row():
    terms, _ = Terms.fitted(table(some(range(6))), TEXT, least=3)
    rows = table([{**method("Валюты", 1), "code": "Алгоритм"}])

    assert terms.matrix(rows).nnz == 0


def test_rows_without_a_common_term_say_so():
    with pytest.raises(PermanentError, match="no term of the text"):
        Terms.fitted(table([method("Валюты", 1)]), TEXT, least=3)
