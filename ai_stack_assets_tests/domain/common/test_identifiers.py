import pytest

from ai_stack_assets.domain.common import identifiers


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("ОбщегоНазначения", ["Общего", "Назначения"]),
        ("ИННКонтрагента", ["ИНН", "Контрагента"]),
        ("HTTPСоединение2", ["HTTP", "Соединение", "2"]),
        ("COMОбъект", ["COM", "Объект"]),
        ("Есть_Ли_Ёлка", ["Есть", "Ли", "Ёлка"]),
        ("ПриЗаписиНаСервере", ["При", "Записи", "На", "Сервере"]),
        ("getHTMLText", ["get", "HTML", "Text"]),
        ("КраїнаЄвропи", ["Країна", "Європи"]),
        ("НДС18", ["НДС", "18"]),
        ("ё", ["ё"]),
        ("___", []),
    ],
)
def test_an_identifier_splits_at_case_digits_and_underscores(identifier, parts):
    assert identifiers.split(identifier) == parts


def test_no_letter_or_digit_is_lost_by_splitting():
    for identifier in ("АБВгдЕЖЗик12Ё_ab", "日本Text", "ǅungla", "éÉté"):
        assert "".join(identifiers.split(identifier)) == identifier.replace("_", "")


def test_an_identifier_is_found_by_its_words_and_as_a_whole_in_any_case():
    document = identifiers.tokens("ОбщегоНазначения.ЗначениеРеквизита()")
    assert set(identifiers.tokens("общего назначения")) <= set(document)
    assert set(identifiers.tokens("ОбщегоНазначения")) <= set(document)
    assert set(identifiers.tokens("общегоназначения")) <= set(document)


def test_forms_of_a_word_are_one_term():
    assert identifiers.terms("валюта") == identifiers.terms("Валют") == identifiers.terms("валюты")
    assert identifiers.terms("documents") == identifiers.terms("Document")
    assert identifiers.terms("Учёт") == identifiers.terms("учет")


def test_tokenised_is_tokens_joined_by_blanks():
    text = "Процедура Записать_(Знач HTTPОтвет) // __ И ещё: " + "A" * 500
    assert identifiers.tokenised(text) == " ".join(identifiers.tokens(text))


def test_a_text_without_words_has_no_terms():
    assert identifiers.tokens(" .,();\n") == []
    assert identifiers.tokenised("") == ""


def test_data_that_looks_like_one_long_word_is_no_word():
    assert identifiers.tokens("a" * 129) == []
