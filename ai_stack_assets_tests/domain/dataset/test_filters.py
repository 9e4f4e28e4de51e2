"""Each rule tells why a record is left out, and says nothing about a good one."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.dataset.filters import RULES, FilterSettings, reason_against
from ai_stack_assets.domain.dataset.quality_sample import Sample
from ai_stack_assets_tests.domain.dataset.makers import GOOD

SETTINGS = FilterSettings()


def reason(code: str, **values: object) -> str | None:
    found = reason_against(Sample({"code": code, **values}), SETTINGS)
    return found[0] if found else None


def method(*body: str) -> str:
    return "\n".join(
        ["Процедура ЗаполнитьТаблицу(Таблица)", *(f"\t{line}" for line in body), "КонецПроцедуры"]
    )


QUERY = method(
    "Запрос = Новый Запрос;",
    'Запрос.Текст = "ВЫБРАТЬ',
    *(f"\t|\tТовары.Реквизит{n} КАК Реквизит{n}," for n in range(60)),
    '\t|ИЗ Справочник.Товары КАК Товары";',
    "Таблица = Запрос.Выполнить().Выгрузить();",
)
TABLE = method(*(f'Таблица.Вставить("Код{n}", "Значение номер {n}");' for n in range(60)))
SHORT_TABLE = method(*(f'Таблица.Вставить("Код{n}", "Значение номер {n}");' for n in range(8)))
COMMENTED = method("// " + "пояснение " * 40, "Таблица.Очистить();", "Таблица.Свернуть(Колонки);")
MOJIBAKE = GOOD.encode().decode("cp1251", "replace")
AS_LATIN = GOOD.encode("cp1251").decode("latin-1")

BAD = {
    "encoding_damage": [
        GOOD.replace("Округление", "Округ\ufffdение"),
        MOJIBAKE,
        AS_LATIN,
        GOOD.encode().decode("latin-1"),
        GOOD.replace("копеек", "копе\x00ек"),
    ],
    "not_bsl": [
        "<html><body>Вход в систему</body></html>",
        '{"name": "value", "items": [1, 2]}',
        "def add(a, b):\n    return a + b",
        "ВЫБРАТЬ Ссылка ИЗ Справочник.Товары",
        "Просто рассказ о том как хорошо жить в деревне у бабушки летом",
        "// только комментарий",
    ],
    "parse_errors": [
        GOOD.replace("КонецЕсли;", ""),
        GOOD.replace("КонецФункции", ""),
        GOOD.replace("КонецФункции", "КонецПроцедуры"),
        GOOD.replace("/ 100, 2);", "/ 100, 2;"),
        method('Текст = "не закрыт;', "Таблица.Очистить();"),
        GOOD.replace("\t// Округ", "=======\n\t// Округ"),
        "Если Готово Тогда\n\tЗаписать();",
    ],
    "empty_body": [
        method(),
        method("// Ничего не делает."),
        method("Возврат;"),
        "Функция Заготовка(Первый, Второй) Экспорт\n\tВозврат Неопределено;\nКонецФункции",
        method('ВызватьИсключение "Не реализовано";'),
    ],
    "too_short": ["Функция Один()\n\tВозврат 1;\nКонецФункции"],
    "too_long": [method(*(f"Таблица.Колонка{n} = Посчитать(Таблица, {n} + Сдвиг);" for n in range(1100))), "А = 1; " * 5_000_000],
    "long_lines": [
        method(f"Таблица.Текст = \"{'слово ' * 300}\";"),
        method(f"Таблица.Текст = \"{'слово ' * 100}\";", f"Таблица.Имя = \"{'иное ' * 100}\";"),
    ],
    "mostly_comments": [COMMENTED],
    "generated_code": [
        TABLE,
        GOOD.replace("// Округление до копеек.", "// Код сгенерирован автоматически, не редактировать вручную."),
        GOOD.replace("// Округление до копеек.", "// auto-generated, DO NOT EDIT"),
        method('Таблица.Данные = "', *(f'|{"QUJD" * 30}' for _ in range(80)), '|";'),
        method("Таблица.Данные =", *(f'\t"{"QUJD" * 30}{n:04}" +' for n in range(60)), '\t"";'),
    ],
    "low_information": [
        method(*(["Таблица.Добавить();", "Таблица.Строка = Новая(Таблица);"] * 10)),
        method(*(f"Итог = {'Сумма + ' * n}Сумма;" for n in range(1, 18))),
        method(f"Таблица.Код = \"{'9' * 400}\";", "Таблица.Записать(Код, Истина);"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "code"), [(name, code) for name, codes in BAD.items() for code in codes]
)
def test_a_bad_record_is_rejected_with_its_reason(expected: str, code: str) -> None:
    assert reason(code) == expected


def test_every_rule_has_a_case() -> None:
    assert set(RULES) == set(BAD)


@pytest.mark.parametrize(
    "code",
    [
        GOOD,
        QUERY,
        QUERY.replace("Реквизит", "РеквизитТовараИлиУслугиИзСправочникаНоменклатура"),
        SHORT_TABLE,
        method() + "\n\n" + GOOD,
        method("Таблица.Текст = \"Ёлка — «зелёная»… № 5 ± 1 °C\";", "Таблица.Записать(Истина);"),
        method("Возврат; // ранний выход", "Таблица.Очистить();"),
        method('ВызватьИсключение "Нет прав на таблицу " + Таблица.Имя();'),
        method("#Если Сервер Тогда", "Записать(Таблица,", "#Иначе", "Послать(Таблица,", "#КонецЕсли", "Истина);"),
        "Запрос = Новый Запрос;\nЗапрос.УстановитьПараметр(\"Код\", Код);\nРезультат = Запрос.Выполнить();",
        method("// Исключение будет вызвано автоматически.", "Таблица.Очистить();", "Таблица.Свернуть(Колонки);"),
        method(*(f"Если Таблица.Колонка{n} > {n} Тогда\n\t\tСумма{n} = Сумма(Таблица);\n\tКонецЕсли;" for n in range(20))),
        "Procedure FillTable(Table) Export\n\tTable.Clear();\n\tTable.Add();\nEndProcedure",
    ],
)  # fmt: skip
def test_good_code_is_kept(code: str) -> None:
    assert reason_against(Sample({"code": code}), SETTINGS) is None


def test_a_damaged_comment_above_the_method_counts_as_well() -> None:
    assert reason(GOOD, doc_comment="Считает \ufffd\ufffd сумму") == "encoding_damage"


def test_the_detail_says_what_was_seen() -> None:
    found = reason_against(Sample({"code": GOOD.replace("КонецЕсли;", "")}), SETTINGS)
    assert found == ("parse_errors", "Если is not closed")


def test_thresholds_can_be_set() -> None:
    assert reason_against(Sample({"code": GOOD}), FilterSettings(fewest_tokens=500)) == (
        "too_short",
        f"{len(Sample({'code': GOOD}).tokens)} tokens",
    )


def test_blanks_in_literals_are_no_code_that_comments_are_a_share_of() -> None:
    code = (
        'Процедура А()\n\t// раз\n\tТекст = "а   б   в   г   д   е   ё   ж   з   и   к   л";\nКонецПроцедуры'
    )
    without_blanks = "".join(code.split())
    assert Sample({"code": code}).comment_share == pytest.approx(len("//раз") / len(without_blanks))
