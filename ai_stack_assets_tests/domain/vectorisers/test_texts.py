"""What of a row is vectorised."""

from __future__ import annotations

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.vectorisers.texts import MAX_BODY, corpus, field_names, method_text, object_text
from ai_stack_assets_tests.domain.stores.vector_lake import BODIES, lake_version


def test_a_method_is_its_name_in_words_its_comment_and_its_code():
    text = method_text("ОтправитьПисьмо", "Отправляет.", "Процедура ОтправитьПисьмо(Кому)\nКонецПроцедуры")
    assert text.splitlines() == [
        "Отправить Письмо",
        "Отправляет.",
        "Процедура ОтправитьПисьмо(Кому)",
        "КонецПроцедуры",
    ]


def test_an_endless_body_is_cut():
    assert len(method_text("А", "", "б" * 10 * MAX_BODY)) == MAX_BODY + 3


def test_an_object_is_its_name_synonyms_comment_kind_and_fields():
    text = object_text(
        "КурсыВалют", "InformationRegister", '{"en":"Rates","ru":"Курсы"}', "Старый", "Курс Кратность"
    )
    assert text.splitlines() == [
        "Курсы Валют",
        "Rates",
        "Курсы",
        "Старый",
        "InformationRegister",
        "Курс Кратность",
    ]


def test_the_corpus_is_all_objects_with_their_fields_then_all_methods(tmp_path):
    version = lake_version(Lake(tmp_path), "Торговля", "v1")
    texts = [text for batch in corpus(version, rows=2) for text in batch]
    assert field_names(version) == {"Catalog.Валюты": "Наценка ОсновнаяВалюта"}
    assert len(texts) == 2 + len(BODIES)
    assert texts[0].endswith("Наценка ОсновнаяВалюта")
