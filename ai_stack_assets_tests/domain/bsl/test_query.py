"""Query texts: what they read. The texts are as they stand in code after undoubling quotes."""

import pytest

from ai_stack_assets.domain.bsl.facts import QueryFacts
from ai_stack_assets.domain.bsl.query import MAX_LENGTH, parse_query


def tables(facts: QueryFacts) -> list[tuple[str, str]]:
    return [(table.name, table.alias) for table in facts.tables]


def whole(text: str) -> QueryFacts:
    facts = parse_query(text)
    assert not facts.is_fragment, facts
    return facts


def test_fields_are_named_by_the_table_behind_their_alias():
    facts = whole("ВЫБРАТЬ В.Код КАК Шифр, В.Владелец.ИНН ИЗ Справочник.Валюты КАК В ГДЕ В.Код = &Код")
    assert tables(facts) == [("Справочник.Валюты", "В")]
    assert facts.fields == ["Справочник.Валюты.Код", "Справочник.Валюты.Владелец.ИНН"]
    assert facts.parameters == ["Код"]


def test_english_and_mixed_case_keywords_are_the_same_language():
    facts = whole(
        "select top 5 C.Code as Code From Catalog.Валюты C Where Not C.DeletionMark order by Code desc"
    )
    assert tables(facts) == [("Catalog.Валюты", "C")]
    assert facts.fields == ["Catalog.Валюты.Code", "Catalog.Валюты.DeletionMark"]


def test_the_only_table_needs_no_alias():
    facts = whole("ВЫБРАТЬ Код, Ссылка, Валюты.Наименование, Справочник.Валюты.Владелец ИЗ Справочник.Валюты")
    assert facts.fields == [
        f"Справочник.Валюты.{name}" for name in ("Код", "Ссылка", "Наименование", "Владелец")
    ]


def test_a_bare_field_among_several_tables_is_nobodys():
    facts = whole("ВЫБРАТЬ Код, А.Имя ИЗ Справочник.А КАК А, Справочник.Б КАК Б")
    assert facts.fields == ["Справочник.А.Имя"]


@pytest.mark.parametrize("join", ["ЛЕВОЕ СОЕДИНЕНИЕ", "LEFT OUTER JOIN", "ВНУТРЕННЕЕ СОЕДИНЕНИЕ", "JOIN"])
def test_joined_tables_are_read(join):
    facts = whole(f"ВЫБРАТЬ А.К ИЗ Справочник.А КАК А {join} Справочник.Б КАК Б ПО А.К = Б.К И Б.Л > 1")
    assert tables(facts) == [("Справочник.А", "А"), ("Справочник.Б", "Б")]
    assert facts.fields == ["Справочник.А.К", "Справочник.Б.К", "Справочник.Б.Л"]


def test_joins_may_nest_before_their_conditions():
    facts = whole(
        "ВЫБРАТЬ 1 ИЗ Справочник.А КАК А ЛЕВОЕ СОЕДИНЕНИЕ Справочник.Б КАК Б"
        " ЛЕВОЕ СОЕДИНЕНИЕ (Справочник.В КАК В) ПО Б.К = В.К ПО А.К = Б.К"
    )
    assert [name for name, _ in tables(facts)] == ["Справочник.А", "Справочник.Б", "Справочник.В"]


def test_parameters_of_a_virtual_table_read_its_own_fields():
    facts = whole(
        "ВЫБРАТЬ К.Курс ИЗ РегистрСведений.Курсы.СрезПоследних(&Дата, Валюта = &Валюта И НЕ Закрыт) КАК К"
    )
    table = "РегистрСведений.Курсы.СрезПоследних"
    assert tables(facts) == [(table, "К")]
    assert facts.fields == [f"{table}.Курс", f"{table}.Валюта", f"{table}.Закрыт"]
    assert facts.parameters == ["Дата", "Валюта"]


def test_empty_parameters_and_periods_of_a_virtual_table_are_no_fields():
    facts = whole("ВЫБРАТЬ О.Сумма ИЗ РегистрНакопления.Продажи.Обороты(, &Конец, Месяц, ) КАК О")
    assert facts.fields == ["РегистрНакопления.Продажи.Обороты.Сумма"]


def test_a_nested_query_gives_the_fields_behind_its_columns():
    facts = whole(
        "ВЫБРАТЬ Н.Шифр, Н.Итог, Н.Хозяин.ИНН ИЗ (ВЫБРАТЬ В.Код КАК Шифр, В.Хозяин, СУММА(В.Вес) КАК Итог"
        " ИЗ Справочник.Валюты КАК В СГРУППИРОВАТЬ ПО В.Код, В.Хозяин) КАК Н"
    )
    assert tables(facts) == [("Справочник.Валюты", "В")]
    assert facts.fields == [f"Справочник.Валюты.{name}" for name in ("Код", "Хозяин.ИНН", "Хозяин", "Вес")]


def test_a_temporary_table_is_followed_through_the_package():
    facts = whole(
        "ВЫБРАТЬ В.Код ПОМЕСТИТЬ ВТ ИЗ Справочник.Валюты КАК В ИНДЕКСИРОВАТЬ ПО Код;\n"
        "////////////////////////\n"
        "ВЫБРАТЬ Т.Код.Длина ИЗ ВТ КАК Т;\n УНИЧТОЖИТЬ ВТ;"
    )
    assert tables(facts) == [("Справочник.Валюты", "В"), ("ВТ", "Т")]
    assert facts.temporary_tables == ["ВТ"]
    assert facts.fields == ["Справочник.Валюты.Код", "Справочник.Валюты.Код.Длина"]


def test_a_temporary_table_from_elsewhere_keeps_its_name():
    assert whole("ВЫБРАТЬ Т.Поле ИЗ ВТПришлая КАК Т").fields == ["ВТПришлая.Поле"]


def test_a_correlated_query_knows_the_aliases_around_it():
    facts = whole(
        "ВЫБРАТЬ А.К ИЗ Справочник.А КАК А ГДЕ НЕ ИСТИНА В"
        " (ВЫБРАТЬ ПЕРВЫЕ 1 ИСТИНА ИЗ Справочник.Б КАК Б ГДЕ Б.К = А.Л И Свое.Поле = 1)"
    )
    assert facts.fields == ["Справочник.А.К", "Справочник.Б.К", "Справочник.А.Л", "Справочник.Б.Свое.Поле"]


def test_members_of_a_union_have_aliases_of_their_own():
    facts = whole(
        "ВЫБРАТЬ Т.К КАК Ключ ИЗ Справочник.А КАК Т ОБЪЕДИНИТЬ ВСЕ ВЫБРАТЬ Т.Л ИЗ Справочник.Б КАК Т"
        " УПОРЯДОЧИТЬ ПО Ключ АВТОУПОРЯДОЧИВАНИЕ"
    )
    assert tables(facts) == [("Справочник.А", "Т"), ("Справочник.Б", "Т")]
    assert facts.fields == ["Справочник.А.К", "Справочник.Б.Л"]


def test_totals_and_order_name_columns_of_the_result():
    facts = whole(
        "ВЫБРАТЬ П.Дата КАК Период, П.Сумма КАК Итого ИЗ Документ.Продажа КАК П УПОРЯДОЧИТЬ ПО Период УБЫВ"
        " ИТОГИ СУММА(Итого), МАКСИМУМ(Итого) КАК Наибольшее"
        " ПО ОБЩИЕ, Период ПЕРИОДАМИ(ДЕНЬ, , ), Склад ТОЛЬКО ИЕРАРХИЯ"
    )
    assert facts.fields == ["Документ.Продажа.Дата", "Документ.Продажа.Сумма", "Документ.Продажа.Склад"]


def test_metadata_named_by_functions_is_no_field():
    facts = whole(
        "ВЫБРАТЬ ВЫБОР КОГДА Т.Вид = ЗНАЧЕНИЕ(Перечисление.Виды.Первый) ТОГДА 1 ИНАЧЕ &П КОНЕЦ"
        " ИЗ Документ.Заказ КАК Т ГДЕ ТИПЗНАЧЕНИЯ(Т.Основание) = ТИП(Документ.Счет)"
        " И Т.Основание ССЫЛКА Документ.Счет И НАЧАЛОПЕРИОДА(Т.Дата, ДЕНЬ) = &День"
    )
    assert facts.fields == [f"Документ.Заказ.{name}" for name in ("Вид", "Основание", "Дата")]


def test_a_cast_reads_the_table_it_casts_to():
    facts = whole(
        "ВЫБРАТЬ ВЫРАЗИТЬ(Т.Основание КАК Документ.Счет).Номер, ВЫРАЗИТЬ(Т.Сумма КАК ЧИСЛО(15, 2))"
        " ИЗ Документ.Заказ КАК Т"
    )
    assert facts.fields == ["Документ.Заказ.Основание", "Документ.Счет.Номер", "Документ.Заказ.Сумма"]


def test_a_tabular_section_is_read_as_a_table_and_in_a_field_list():
    facts = whole("ВЫБРАТЬ Т.Товары.(Цена, Номенклатура.Код КАК К), Т.* ИЗ Документ.Заказ КАК Т")
    assert facts.fields == [
        f"Документ.Заказ.{name}" for name in ("Товары.Цена", "Товары.Номенклатура.Код", "*")
    ]
    assert tables(whole("ВЫБРАТЬ Т.Цена ИЗ Документ.Заказ.Товары КАК Т")) == [("Документ.Заказ.Товары", "Т")]


def test_words_of_the_language_may_name_fields():
    facts = whole("ВЫБРАТЬ Ссылка, Общие, Т.Дата, Год(Дата) КАК Год ИЗ Документ.Заказ КАК Т")
    assert facts.fields == [f"Документ.Заказ.{name}" for name in ("Ссылка", "Общие", "Дата")]


def test_what_stands_in_comments_and_strings_is_not_read():
    facts = whole('ВЫБРАТЬ Т.А, "ИЗ Справочник.Б &Нет ""//""" // &Тоже\n ИЗ Справочник.А КАК Т')
    assert tables(facts) == [("Справочник.А", "Т")]
    assert facts.parameters == []


def test_data_composition_braces_are_looked_into():
    facts = whole(
        "ВЫБРАТЬ А.К {ВЫБРАТЬ А.Л.*, Ш} ИЗ Справочник.А КАК А"
        " {ЛЕВОЕ СОЕДИНЕНИЕ Справочник.Б КАК Б ПО А.К = Б.К} {ГДЕ Б.М.* КАК Имя}"
    )
    assert tables(facts) == [("Справочник.А", "А"), ("Справочник.Б", "Б")]
    assert facts.fields == [*("Справочник.А.К", "Справочник.А.Л.*", "Справочник.Б.К", "Справочник.Б.М.*")]


@pytest.mark.parametrize(
    "table", ["&ИмяТаблицы", "#Таблица", "%1", "[Таблица]", "Документ.%1", "Справочник.#Имя#"]
)
def test_a_table_named_at_run_time_is_kept_as_written(table):
    assert tables(whole(f"ВЫБРАТЬ Т.Поле ИЗ {table} КАК Т")) == [(table, "Т")]


def test_locking_and_grouping_sets_are_understood():
    whole("ВЫБРАТЬ Т.А ИЗ Справочник.А КАК Т ДЛЯ ИЗМЕНЕНИЯ Справочник.А")
    whole(
        "ВЫБРАТЬ Т.А, Т.Б ИЗ Справочник.А КАК Т СГРУППИРОВАТЬ ПО ГРУППИРУЮЩИМ НАБОРАМ ((Т.А, Т.Б), (Т.А), ())"
    )


@pytest.mark.parametrize(
    "piece",
    [
        "ВЫБРАТЬ Т.А, Т.Б ИЗ",
        "ВЫБРАТЬ Т.А, Т.Б",
        "ГДЕ Т.А = &А",
        "ВЫБРАТЬ Т.А ИЗ Справочник.А КАК Т ГДЕ Т.А =",
        "ВЫБРАТЬ Т.А ИЗ Справочник.А КАК Т ГДЕ (Т.А = 1",
        "ВЫБРАТЬ Т.А ИЗ Справочник.А КАК Т #Условие УПОРЯДОЧИТЬ ПО Т.А",
        "",
    ],
)
def test_a_piece_of_a_query_is_a_fragment(piece):
    assert parse_query(piece).is_fragment


def test_a_fragment_still_shows_its_tables_fields_and_parameters():
    facts = parse_query(
        "ВЫБРАТЬ А.К, Чужой.Л ПОМЕСТИТЬ ВТ ИЗ Справочник.А КАК А ГДЕ А.М В (&Список) И А.Н = "
    )
    assert facts.is_fragment
    assert tables(facts) == [("Справочник.А", "А")]
    assert facts.fields == ["Справочник.А.К", "Справочник.А.М", "Справочник.А.Н"]
    assert (facts.parameters, facts.temporary_tables) == (["Список"], ["ВТ"])


def test_a_broken_statement_spoils_only_itself():
    facts = parse_query("ВЫБРАТЬ ИЗ; ВЫБРАТЬ Т.А ИЗ Справочник.А КАК Т")
    assert facts.is_fragment
    assert facts.fields == ["Справочник.А.А"]


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        '"',
        "А.",
        "&",
        "{",
        "[а",
        ";",
        "ВЫБРАТЬ ",
        "ВЫБОР ",
        "ВЫБРАТЬ А ИЗ (",
        "СОЕДИНЕНИЕ Т ",
        "\x00",
        "-",
    ],
)
def test_garbage_of_any_size_is_only_a_fragment(unit):
    assert parse_query("ВЫБРАТЬ А ИЗ Т " + unit * (2 * MAX_LENGTH // len(unit))).is_fragment
