"""One module to facts: methods, calls, regions, variables, queries, problems."""

from __future__ import annotations

import msgspec
import pytest

from ai_stack_assets.domain.bsl.facts import Annotation, Assignment, ModuleFacts, Parameter, Region, Variable
from ai_stack_assets.domain.bsl.module import parse_module


def calls(code: str, header: str = "Процедура А()") -> list[tuple[str | None, str]]:
    return [(c.receiver, c.name) for c in parse_module(f"{header}\n{code}\nКонецПроцедуры\n").calls]


def test_a_method_has_all_its_parts() -> None:
    text = (
        "#Область Программный\n#Область Чтение\n"
        '// Читает.\n//\n// Параметры:\n//  Имя - Строка - имя\n//\n&НаСервере\n&Вместо("Прочитать")\n'
        'Асинх Функция Расш_Прочитать(Знач Имя, Б = "а, (б", // комментарий (1)\n\tВ = -1) Экспорт\n'
        "\tВозврат 1;\nКонецФункции // Прочитать\n#КонецОбласти\n#КонецОбласти\n"
    )
    method = parse_module(text).methods[0]
    assert (method.name, method.kind, method.is_export, method.is_async) == (
        "Расш_Прочитать",
        "Function",
        True,
        True,
    )
    assert (method.directive, method.annotations) == ("AtServer", [Annotation("Around", "Прочитать")])
    assert method.region == "Программный/Чтение"
    assert method.parameters == [
        Parameter("Имя", True, None),
        Parameter("Б", False, '"а, (б"'),
        Parameter("В", False, "-1"),
    ]
    assert method.signature == 'Расш_Прочитать(Знач Имя, Б = "а, (б", В = -1)'
    assert method.doc_comment == "Читает.\n\nПараметры:\n Имя - Строка - имя"
    assert msgspec.json.decode(method.doc)["parameters"][0]["name"] == "Имя"
    assert (method.start_line, method.end_line) == (10, 13)
    assert text[method.start : method.end].startswith("Асинх Функция") and text[: method.end].endswith(
        "КонецФункции"
    )


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("&НаКлиенте", "AtClient"),
        ("& AtServer", "AtServer"),
        ("&НАСЕРВЕРЕБЕЗКОНТЕКСТА // почему", "AtServerNoContext"),
        ("&НаКлиентеНаСервере", "AtClientAtServer"),
        ("&НаКлиентеНаСервереБезКонтекста", "AtClientAtServerNoContext"),
    ],
)
def test_directives_have_their_english_names(directive: str, expected: str) -> None:
    assert parse_module(f"{directive}\nПроцедура А() КонецПроцедуры").methods[0].directive == expected


@pytest.mark.parametrize(
    ("word", "kind"),
    [("Перед", "Before"), ("После", "After"), ("ИзменениеИКонтроль", "ChangeAndValidate"), ("Свое", "Свое")],
)
def test_annotations_name_their_kind_and_target(word: str, kind: str) -> None:
    text = f'&{word} ( "Цель" )\n&НаКлиенте\nПроцедура А() КонецПроцедуры'
    assert parse_module(text).methods[0].annotations == [Annotation(kind, "Цель")]


def test_a_directive_belongs_to_the_next_method_alone() -> None:
    facts = parse_module("&НаКлиенте\nПроцедура А() КонецПроцедуры Процедура Б() КонецПроцедуры")
    assert [m.directive for m in facts.methods] == ["AtClient", None]


def test_a_comment_below_the_directive_is_a_doc_comment_too() -> None:
    facts = parse_module("&НаКлиенте\n// Делает\nПроцедура А()\nКонецПроцедуры")
    assert facts.methods[0].doc_comment == "Делает"


def test_a_comment_apart_from_the_method_is_none_of_its() -> None:
    facts = parse_module("// Лицензия\n\nПроцедура А()\nКонецПроцедуры // А\nПроцедура Б()\nКонецПроцедуры")
    assert [m.doc_comment for m in facts.methods] == ["", ""]


def test_english_keywords_in_any_case_are_read() -> None:
    facts = parse_module("async FUNCTION Get(val A, B = True) export\n\tReturn Await Call(A);\nendFunction")
    method = facts.methods[0]
    assert (method.kind, method.is_export, method.is_async) == ("Function", True, True)
    assert method.signature == "Get(val A, B = True)"
    assert [c.name for c in facts.calls] == ["Call"]


@pytest.mark.parametrize(
    "code",
    [
        "Если(А)Тогда КонецЕсли; Пока (А) Цикл КонецЦикла; Возврат(А); Б = Не(А) И (Б);",
        'Выполнить("код"); ВызватьИсключение("а"); Б = ?(А, 1, 2);',
        "Б = Новый Структура(А); Б = Новый     Файл(А); Б = Новый(А);",
        '// Вызов(1)\nБ = "Вызов(2)";',
        "#Удаление\nВызов();\n#КонецУдаления",
    ],
)
def test_what_looks_like_a_call_is_none(code: str) -> None:
    assert calls(code) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Б ( 1 ) ;", [(None, "Б")]),
        ("Модуль . Метод(1);", [("Модуль", "Метод")]),
        ("Справочники.Валюты\n\t.Найти(1);", [("Справочники.Валюты", "Найти")]),
        ("Запрос.Выполнить().Выбрать();", [("Запрос", "Выполнить"), ("Запрос.Выполнить()", "Выбрать")]),
        ("Б[Ключ(1)].В.Г();", [(None, "Ключ"), ("Б[Ключ(1)].В", "Г")]),
        ("Б = (В + Г).Д();", [("(В + Г)", "Д")]),
        ("Б = Новый Файл(А).Имя(1);", [("Файл(А)", "Имя")]),
        ("Ждать(1);", [(None, "Ждать")]),
        ("Б\xa0(1); В\u200b(2);", [(None, "Б"), (None, "В")]),
    ],
)
def test_calls_have_their_receiver_as_written(code: str, expected: list[tuple[str | None, str]]) -> None:
    assert calls(code) == expected


def test_await_is_no_call_in_an_asynchronous_method() -> None:
    assert calls("Ждать(Б(1));", "Асинх Процедура А()") == [(None, "Б")]


def test_a_long_chain_of_calls_keeps_receivers_short() -> None:
    found = calls("Б" + ".В()" * 1000 + ";")
    assert len(found) == 1000
    assert max(len(receiver or "") for receiver, _ in found) < 250


def test_calls_know_their_method_and_line() -> None:
    facts = parse_module("До();\nПроцедура А()\n\tБ(\n\t\tВ());\nКонецПроцедуры\nПосле();")
    assert [(c.name, c.method, c.line) for c in facts.calls] == [
        ("До", -1, 1),
        ("Б", 0, 3),
        ("В", 0, 4),
        ("После", -1, 6),
    ]


def test_variables_that_hold_a_common_module_are_found() -> None:
    facts = parse_module(
        "Процедура А()\n"
        '\tМодуль = ОбщегоНазначения.ОбщийМодуль("Первый");\n'
        '\tВторой = CommonModule ( "Второй" );\n'
        '\tЕсли Третий = ОбщийМодуль("Третий") Тогда КонецЕсли;\n'
        '\tБ.Поле = ОбщийМодуль("Четвертый");\n'
        "\tПятый = ОбщийМодуль(Имя);\n"
        "КонецПроцедуры"
    )
    assert facts.assignments == [Assignment(0, "Модуль", "Первый"), Assignment(0, "Второй", "Второй")]


def test_module_variables_are_told_from_those_of_methods() -> None:
    facts = parse_module(
        "&НаКлиенте\nПерем А Экспорт, Б;\nПерем В;\nПроцедура Г()\n\tПерем Д;\nКонецПроцедуры"
    )
    assert facts.variables == [
        Variable("А", True, "AtClient", 2),
        Variable("Б", False, "AtClient", 2),
        Variable("В", False, None, 3),
    ]


def test_regions_have_paths_and_ends() -> None:
    facts = parse_module("#Область А // к\n#Region Б\n#EndRegion\n# КонецОбласти\n")
    assert facts.regions == [Region("А", "А", 1, 4), Region("Б", "А/Б", 2, 3)]
    assert facts.problems == []


def test_query_literals_are_joined_and_unquoted() -> None:
    facts = parse_module(
        "Процедура А()\n\tЗапрос.Текст =\n"
        '\t"ВЫБРАТЬ\n\t// между строк "\n\t|\tВалюты.Код КАК ""Код""\n\t|ИЗ Справочник.Валюты КАК Валюты";\n'
        '\tСообщить("Выбрать файл на диске");\nКонецПроцедуры'
    )
    query = facts.queries[0]
    assert len(facts.queries) == 1
    assert (query.method, query.line) == (0, 3)
    assert query.text == 'ВЫБРАТЬ\n\tВалюты.Код КАК "Код"\nИЗ Справочник.Валюты КАК Валюты'
    assert [table.name for table in query.facts.tables] == ["Справочник.Валюты"]


def test_dropping_a_temporary_table_is_a_query() -> None:
    assert len(parse_module('А = "УНИЧТОЖИТЬ ВТ_Товары";').queries) == 1


def problems(facts: ModuleFacts) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in facts.problems]


def test_a_method_without_end_takes_no_other_with_it() -> None:
    facts = parse_module(
        "Процедура А()\n\tБ();\n// О методе\n&НаКлиенте\nПроцедура В()\n\tГ();\nКонецПроцедуры"
    )
    assert [(m.name, m.directive, m.end_line) for m in facts.methods] == [
        ("А", None, 2),
        ("В", "AtClient", 7),
    ]
    assert [(c.method, c.name) for c in facts.calls] == [(0, "Б"), (1, "Г")]
    assert problems(facts) == [(1, "А has no end")]


def test_an_end_without_header_loses_nothing_else() -> None:
    facts = parse_module("КонецПроцедуры\nПроцедура А()\nКонецФункции")
    assert [m.name for m in facts.methods] == ["А"]
    assert problems(facts) == [(1, "КонецПроцедуры without a header"), (3, "А is closed by КонецФункции")]


def test_unreadable_parameters_leave_the_method() -> None:
    facts = parse_module("Процедура А(Б, В\n\tГ();\nКонецПроцедуры\nПроцедура Д()\nКонецПроцедуры")
    assert [m.name for m in facts.methods] == ["А", "Д"]
    assert problems(facts) == [(1, "the parameters of А cannot be read")]


def test_unbalanced_regions_and_conditions_are_problems() -> None:
    facts = parse_module("#КонецОбласти\n#Область А\n#Если Сервер Тогда\n#КонецЕсли\n#КонецЕсли\n")
    assert [line for line, _ in problems(facts)] == [1, 2, 5]


def test_an_empty_module_has_no_facts() -> None:
    assert parse_module("") == ModuleFacts(0, [], [], [], [], [], [], [])


def test_facts_survive_encoding() -> None:
    facts = parse_module('&Перед("А")\nПроцедура Б(В = 1)\n\tГ.Д();\nКонецПроцедуры')
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=ModuleFacts) == facts
