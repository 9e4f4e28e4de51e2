"""What counts when two methods are compared, and what does not."""

from __future__ import annotations

import multiprocessing

import pyarrow as pa
import pytest

from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS
from ai_stack_assets.domain.dataset.dedupe.shingles import shingle
from ai_stack_assets.domain.dataset.dedupe.tokens import KEYWORD, OTHER, STRING, WORD, token_hashes
from ai_stack_assets_tests.domain.dataset.dedupe import brute_force as brute


def hashes(code):
    return token_hashes(code)[0].tolist()


def kinds(code):
    return token_hashes(code)[1].tolist()


def test_kinds_are_told_apart():
    assert kinds("Если А <> 1.5 Тогда") == [KEYWORD, WORD, OTHER, OTHER, KEYWORD]
    assert kinds("Возврат \"а\" + '20260101';") == [KEYWORD, STRING, OTHER, OTHER, OTHER]
    assert all(kinds(word.upper()) == [KEYWORD] for word in ALL_KEYWORDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("А=1;", "  А\t=\n\n 1 ; // примечание"),
        ("ёлка ЩЕЛЬ Über", "ЁЛКА щель ÜBER"),
        ("А\u00a0=\ufeff1", "А = 1"),
        ('"один   два"', '"один два "'),
        ('А = "один\n  | два\n // примечание\n |три";', 'А = "один\n| два\n|три";'),
    ],
    ids=[
        "blanks and comments",
        "case in any alphabet",
        "invisible characters",
        "blanks in strings",
        "lines of strings",
    ],
)
def test_equal_for_all_that_does_not_count(one, other):
    assert hashes(one) == hashes(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"а"', '"А"'),
        ('"а"', "а"),
        ("12", "1 2"),
        ("1.5", "1 . 5"),
        ("<=", "< ="),
        ('"а""б"', '"а" "б"'),
        ("А", "Б"),
        ('"а // б"', '"а'),
        ("'20260101'", "'20260102'"),
    ],
)
def test_different_for_all_that_counts(one, other):
    assert hashes(one) != hashes(other)


def test_a_string_is_a_token_a_line_and_one_that_is_not_closed_ends_with_its_line():
    assert kinds('"один\n|два\n|три"') == [STRING] * 3
    assert kinds('А = "один\nБ = 2') == [WORD, OTHER, STRING, WORD, OTHER, OTHER]


def test_any_bytes_are_read_to_their_end():
    for code in (
        "",
        "\x00",
        '"',
        "|",
        "'",
        "/",
        "//",
        "Ю",
        "😀",
        "А" * 100_000,
        '"' * 99,
        "а\u2028б",
        "\ud800",
    ):
        assert len(hashes(code)) <= len(code.encode("utf-8", "replace"))


def test_as_the_plain_definition_has_it():
    code = 'Функция А(Б = "в""г", Г1 = 1.5) // да\n\tВозврат Б <> Г1 И \'2026\' >= Б.В[0]; КонецФункции'
    words = brute.tokens(code)
    assert len(words) == len(hashes(code))
    assert len(set(words)) == len(set(hashes(code)))


def test_shingles_of_a_batch_are_those_of_each_text_alone():
    codes = pa.array(["А = 1;", "", "Процедура А() КонецПроцедуры", "а б в г д а б в г д"])
    together = shingle(codes)
    assert together.sizes.tolist() == [1, 0, 1, 5]
    for n, code in enumerate(codes):
        alone = shingle(pa.array([code]))
        assert alone.keys.tolist() == together.keys[n : n + 1].tolist()
    assert shingle(codes.slice(2)).sizes.tolist() == [1, 5]


def test_a_skeleton_survives_consistent_renaming_alone():
    code = 'Процедура Имя(А, Б) А = Б + А; Сообщить("А"); КонецПроцедуры'
    renamed = code.replace("А", "Первый").replace("Б", "Второй")
    other = code.replace("А = Б + А", "А = Б + Б")
    found = shingle(pa.array([code, renamed, other])).skeletons
    assert found[0] == found[1] != found[2]


def _count(code):
    return len(token_hashes(code)[0])


def test_works_in_children_that_were_forked_after_it_was_used():
    assert _count("А = 1;") == 4
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_count, ["А = 1;"] * 4) == [4] * 4
