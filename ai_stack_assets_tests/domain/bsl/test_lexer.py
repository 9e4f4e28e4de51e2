"""What is masked, and that no input makes the patterns slow."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.bsl.lexer import TOKENS, mask
from ai_stack_assets.domain.bsl.module import parse_module


def test_masked_code_keeps_every_offset() -> None:
    text = "А = \"б(1)\" + '20010101'; // Вызов(2)\n#Если Сервер Тогда\n~М: В();"
    code = mask(text).code
    assert len(code) == len(text)
    assert code.index("В();") == text.index("В();")
    assert "Вызов" not in code and "б(" not in code and "Сервер" not in code


def test_a_string_of_several_lines_with_comments_between_is_one_span() -> None:
    text = 'А = "первая (1)\n\t// Комментарий(2) "\n\n\t|вторая ""(3)""";Б();'
    masked = mask(text)
    assert [text[slice(*span)] for span in masked.strings] == [text[4 : text.index(";")]]
    assert masked.code.endswith(";Б();")


def test_an_unclosed_string_ends_with_its_line() -> None:
    assert mask('А = "не закрыта\nБ();').code.endswith("\nБ();")


def test_a_string_that_a_preprocessor_line_cuts_is_one_span() -> None:
    masked = mask('А = "начало\n#Если Сервер Тогда\n|Вызов(1)\n#КонецЕсли\n|конец";')
    assert len(masked.strings) == 1
    assert "Вызов" not in masked.code
    assert [line for _, line in masked.directives] == ["#Если Сервер Тогда", "#КонецЕсли"]


def test_deleted_code_is_masked_and_inserted_code_is_not() -> None:
    code = mask("#Удаление\nБыло();\n#КонецУдаления\n#Вставка\nСтало();\n#КонецВставки\n").code
    assert "Было" not in code and "Стало();" in code


def test_an_unclosed_deletion_masks_nothing() -> None:
    masked = mask("#Удаление\nБыло();\n")
    assert "Было();" in masked.code and masked.unclosed == [0]


def test_a_property_named_by_a_keyword_is_no_keyword() -> None:
    found = [m[1] for m in TOKENS.finditer("А.Процедура = Б. Если; А.КонецПроцедуры(); Если А Тогда") if m[1]]
    assert found == ["Если"]


def test_a_keyword_inside_of_a_word_is_no_keyword() -> None:
    assert [m[1] for m in TOKENS.finditer("ВызватьИсключение; ЕслиНе = ИЛИ_; Выполнить") if m[1]] == []


@pytest.mark.parametrize(
    "piece",
    [
        '"',
        "а",
        "а+",
        "(",
        "А(",
        "\n",
        "/",
        "//\n",
        ".",
        "&",
        "#\n",
        "#Область А\n",
        "|\n",
        '"\n|',
        " Или(",
        "Если ",
        "Процедура ",
        "Процедура А(",
        "КонецПроцедуры ",
        "?(",
        "А ? Тогда ",
        ";",
        '"ВЫБРАТЬ\n|',
        "Новый А(",
        " . ",
    ],
)
def test_any_piece_repeated_is_read_to_the_end(piece: str) -> None:
    """Grows to minutes where a pattern backtracks or a scan starts over."""
    text = f"Процедура Первая() КонецПроцедуры\n{piece * 100_000}\nПроцедура Последняя() КонецПроцедуры\n"
    assert parse_module(text).methods[0].name == "Первая"
