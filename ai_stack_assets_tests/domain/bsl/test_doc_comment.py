"""Comments above methods, split into the parts of 1C's standard."""

import json

from ai_stack_assets.domain.bsl.doc_comment import EMPTY, parse_doc_comment


def doc(*lines: str) -> dict:
    return json.loads(parse_doc_comment("\n".join(lines)))


def test_no_comment_has_all_keys_and_nothing_in_them():
    assert parse_doc_comment("") == parse_doc_comment(" \n ") == EMPTY
    assert json.loads(EMPTY) == {"description": "", "parameters": [], "returns": []}


def test_a_comment_without_sections_is_all_description():
    assert doc(" Считает курс.", "", " См. КурсыВалют.Курс.") == {
        "description": "Считает курс.\n\nСм. КурсыВалют.Курс.",
        "parameters": [],
        "returns": [],
    }


def test_a_parameter_has_a_name_types_and_a_description_over_lines():
    found = doc(
        " Считает.",
        "",
        " Параметры:",
        "  Валюта    - СправочникСсылка.Валюты, Неопределено - чей курс;",
        "              если не задана, то рубля.",
        "  НаДату - Дата",
        "",
        " Возвращаемое значение:",
        "  Число - курс",
    )
    assert found["description"] == "Считает."
    assert found["parameters"] == [
        {
            "name": "Валюта",
            "types": ["СправочникСсылка.Валюты", "Неопределено"],
            "description": "чей курс;\nесли не задана, то рубля.",
        },
        {"name": "НаДату", "types": ["Дата"], "description": ""},
    ]
    assert found["returns"] == [{"types": ["Число"], "description": "курс"}]


def test_english_sections_are_known():
    found = doc(
        "Finds it.", "Parameters:", " Name - String - what to find", "Returns:", " Array of String - found"
    )
    assert found["parameters"] == [{"name": "Name", "types": ["String"], "description": "what to find"}]
    assert found["returns"] == [{"types": ["Array of String"], "description": "found"}]


def test_fields_nest_by_their_stars():
    found = doc(
        "Возвращаемое значение:",
        " Структура:",
        "  * Код - Строка - шифр",
        "  * Адрес - Структура:",
        "    ** Город - Строка",
        "  * Вес - Число",
    )
    (returned,) = found["returns"]
    assert returned["types"] == ["Структура"]
    assert [f["name"] for f in returned["fields"]] == ["Код", "Адрес", "Вес"]
    assert returned["fields"][1]["fields"] == [{"name": "Город", "types": ["Строка"], "description": ""}]


def test_further_types_of_a_parameter_keep_their_descriptions():
    found = doc(
        "Параметры:", " Кто - Строка - имя.", "     - Число", "     - УникальныйИдентификатор - ключ."
    )
    assert found["parameters"] == [
        {
            "name": "Кто",
            "types": ["Строка", "Число", "УникальныйИдентификатор"],
            "description": "имя.\nУникальныйИдентификатор - ключ.",
        }
    ]


def test_alternatives_of_a_returned_value_are_apart():
    found = doc("Возвращаемое значение:", " - Строка - имя", " - Неопределено - нет такого")
    assert [r["types"] for r in found["returns"]] == [["Строка"], ["Неопределено"]]


def test_nothing_said_to_be_given_is_nothing():
    assert doc("Параметры:", " Нет.", "Возвращаемое значение:", " нет") == json.loads(EMPTY)


def test_an_old_comment_without_types_is_all_words():
    found = doc("Параметры:", " Отказ - признак отказа от записи", "Возвращаемое значение:", " курс на дату")
    assert found["parameters"] == [{"name": "Отказ", "types": [], "description": "признак отказа от записи"}]
    assert found["returns"] == [{"types": [], "description": "курс на дату"}]


def test_links_to_other_constructors_are_types():
    found = doc("Параметры:", " Настройки - см. Модуль.НовыеНастройки", " Файлы - Массив из см. НовыйФайл")
    assert [p["types"] for p in found["parameters"]] == [
        ["см. Модуль.НовыеНастройки"],
        ["Массив из см. НовыйФайл"],
    ]


def test_example_and_deprecation_stand_apart():
    found = doc("Устарела. Используйте Б.", "Делает.", "Пример:", "  А(1);", "  Б(2);")
    assert found["deprecated"] == "Используйте Б."
    assert found["description"] == "Делает."
    assert found["example"] == "А(1);\nБ(2);"


def test_a_word_like_a_section_inside_a_sentence_is_no_section():
    assert (
        doc("Параметры заполняются так: сначала А.")["description"] == "Параметры заполняются так: сначала А."
    )


def test_rulers_of_slashes_are_no_description():
    assert doc("//////////", " Делает.", "//////////")["description"] == "Делает."


def test_a_line_of_blanks_without_end_is_read_in_time():
    found = doc("Параметры:", " А" + " " * 1_000_000 + "x", " Б - " + "- " * 200_000)
    assert len(found["parameters"]) >= 1
