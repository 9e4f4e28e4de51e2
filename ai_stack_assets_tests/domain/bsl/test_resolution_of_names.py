"""References and query tables: from the words of a source to ids."""

import json

import pytest

from ai_stack_assets.domain.bsl.query import parse_query
from ai_stack_assets.domain.bsl.resolution import Symbols, resolve_query_tables, resolve_references
from ai_stack_assets.domain.onec.tables import ReferenceRow

SYMBOLS = Symbols(
    [
        "Catalog.Валюты",
        "Catalog.Валюты.Form.Ф",
        "Catalog.Валюты.Command.Печать",
        "Document.Заказ",
        "InformationRegister.Курсы",
        "CalculationRegister.Начисления",
        "CalculationRegister.Начисления.Recalculation.Пересчет",
        "ExternalDataSource.Сайт",
        "ExternalDataSource.Сайт.Table.Заказы",
    ],
    [
        "Catalog.Валюты.Attribute.Полное",
        "Catalog.Валюты.TabularSection.Представления",
        "Catalog.Валюты.TabularSection.Представления.Attribute.Язык",
        "Catalog.Валюты.Form.Ф.Attribute.Список",
        "Catalog.Валюты.Form.Ф.Item.Список",
        "Catalog.Валюты.Form.Ф.Command.Записать",
        "Document.Заказ.TabularSection.Товары",
        "InformationRegister.Курсы.Dimension.Валюта",
    ],
    [("CommonModule.Общий.Module", "CommonModule", "CommonModule.Общий", False)],
    [("CommonModule.Общий.Module.ПриЗаписи", "CommonModule.Общий.Module", "ПриЗаписи", True)],
)


def resolved(target: str, detail: str = "", properties: str = "{}") -> ReferenceRow:
    words = [part for part in ("Source", "Kind", target, detail) if part]
    row = ReferenceRow(">".join(words), "Kind", "Source", "Source", target, "", detail, properties)
    (found,) = resolve_references([row], SYMBOLS)
    return found


@pytest.mark.parametrize(
    ("words", "kind", "target"),
    [
        ("catalog.валюты", "object", "Catalog.Валюты"),
        ("Catalog.Валюты.Attribute.полное", "field", "Catalog.Валюты.Attribute.Полное"),
        ("CommonModule.Общий.Module.призаписи", "method", "CommonModule.Общий.Module.ПриЗаписи"),
        ("Catalog.Валюты.*.Полное", "field", "Catalog.Валюты.Attribute.Полное"),
        ("InformationRegister.Курсы.*.Валюта", "field", "InformationRegister.Курсы.Dimension.Валюта"),
        ("Catalog.Валюты.*.Печать", "object", "Catalog.Валюты.Command.Печать"),
        ("Catalog.Валюты.Form.Ф.*.Список", "field", "Catalog.Валюты.Form.Ф.Attribute.Список"),
        (
            "Catalog.Валюты.*.Представления.*.Язык",
            "field",
            "Catalog.Валюты.TabularSection.Представления.Attribute.Язык",
        ),
    ],
)
def test_words_resolve_to_ids_without_regard_to_case(words, kind, target):
    row = resolved(words)
    assert (row.target_kind, row.target_id) == (kind, target)
    assert row.id == f"Source>Kind>{target}"


@pytest.mark.parametrize("words", ["Catalog.Чужой", "Catalog.Валюты.*.Нет", "что угодно", ""])
def test_what_is_not_found_keeps_its_words(words):
    row = resolved(words, detail="Read")
    assert (row.target_kind, row.target_id, row.detail) == ("unresolved", words, "Read")


def test_a_standard_attribute_is_a_property_of_what_has_it():
    row = resolved("Catalog.Валюты.*.Наименование", detail="Объект.Наименование", properties='{"x":1}')
    assert (row.target_kind, row.target_id) == ("object", "Catalog.Валюты")
    assert json.loads(row.properties) == {"standard_attribute": "Description", "x": 1}
    assert row.id == "Source>Kind>Catalog.Валюты>Объект.Наименование>Description"


def test_two_standard_attributes_of_one_object_are_two_references():
    assert resolved("Catalog.Валюты.*.Code").id != resolved("Catalog.Валюты.*.Description").id


def test_the_line_number_belongs_to_its_tabular_section():
    row = resolved("Document.Заказ.*.Товары.*.НомерСтроки")
    assert (row.target_kind, row.target_id) == ("field", "Document.Заказ.TabularSection.Товары")
    assert json.loads(row.properties) == {"standard_attribute": "LineNumber"}


def test_a_standard_command_and_a_virtual_table_are_properties_too():
    command = resolved("Catalog.Валюты.StandardCommand.OpenList")
    assert (command.target_id, json.loads(command.properties)) == (
        "Catalog.Валюты",
        {"standard_command": "OpenList"},
    )
    table = resolved("InformationRegister.Курсы.SliceLast")
    assert (table.target_id, json.loads(table.properties)) == (
        "InformationRegister.Курсы",
        {"virtual_table": "SliceLast"},
    )


def test_a_resolved_row_stays_as_it_is():
    row = resolved("catalog.валюты")
    assert resolve_references([row], SYMBOLS) == [row]


def tables(text: str) -> list[dict]:
    return json.loads(resolve_query_tables(parse_query(text), SYMBOLS))


@pytest.mark.parametrize(
    ("name", "object_id", "field_id", "virtual"),
    [
        ("Справочник.Валюты", "Catalog.Валюты", None, None),
        ("catalog.валюты", "Catalog.Валюты", None, None),
        ("Документ.Заказ.Товары", "Document.Заказ", "Document.Заказ.TabularSection.Товары", None),
        ("РегистрСведений.Курсы.СрезПоследних", "InformationRegister.Курсы", None, "SliceLast"),
        ("InformationRegister.Курсы.SliceFirst", "InformationRegister.Курсы", None, "SliceFirst"),
        ("Документ.Заказ.Изменения", "Document.Заказ", None, "Changes"),
        (
            "РегистрРасчета.Начисления.Пересчет",
            "CalculationRegister.Начисления.Recalculation.Пересчет",
            None,
            None,
        ),
        ("ВнешнийИсточникДанных.Сайт.Таблица.Заказы", "ExternalDataSource.Сайт.Table.Заказы", None, None),
        ("РегистрСведений.Чужой.СрезПоследних", None, None, "SliceLast"),
        ("ВТВременная", None, None, None),
        ("&ИмяТаблицы", None, None, None),
    ],
)
def test_a_query_table_resolves_in_both_languages(name, object_id, field_id, virtual):
    assert tables(f"ВЫБРАТЬ Т.А ИЗ {name} КАК Т") == [
        {"alias": "Т", "field_id": field_id, "name": name, "object_id": object_id, "virtual_table": virtual}
    ]


def test_no_tables_are_an_empty_list():
    assert resolve_query_tables(parse_query("ВЫБРАТЬ 1"), SYMBOLS) == "[]"
