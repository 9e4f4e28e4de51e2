"""Complexity as bsl-language-server counts it, and statements as bsl-parser does."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.bsl.module import parse_module


def measures(body: str) -> tuple[int, int, int]:
    """Cyclomatic, cognitive, statements."""
    method = parse_module(f"Функция Своя(А)\n{body}\nКонецФункции\n").methods[0]
    return method.cyclomatic, method.cognitive, method.statements


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", (1, 0, 0)),
        ("Б = 1; В();", (1, 0, 2)),
        ("Если А Тогда Б(); КонецЕсли;", (2, 1, 2)),
        ("Если А Тогда ИначеЕсли Б Тогда Иначе КонецЕсли;", (4, 3, 1)),
        ("Для Каждого Б Из А Цикл Если Б Тогда Продолжить; КонецЕсли; КонецЦикла;", (3, 3, 3)),
        ("Попытка Б(); Исключение Если А Тогда В(); КонецЕсли; КонецПопытки;", (3, 3, 4)),
        ("Перейти ~М; ~М: Б();", (2, 1, 2)),
        ("Б = ?(А, ?(Б, 1, 2), 3);", (3, 3, 1)),
        ("Возврат Своя(1) + Модуль.Своя(2);", (2, 1, 1)),
        ("While A Do If B Then Break EndIf EndDo", (3, 3, 3)),
    ],
)
def test_branches_loops_jumps_and_recursion_are_counted(body: str, expected: tuple[int, int, int]) -> None:
    assert measures(body) == expected


@pytest.mark.parametrize(
    ("expression", "cyclomatic", "cognitive"),
    [
        ("А И Б И В", 2, 1),
        ("А И Б ИЛИ В", 2, 2),
        ("А И (Б И В)", 3, 1),
        ("А И (Б ИЛИ В) И Г", 4, 3),
        ("А И Не (Б И В) И Г", 4, 3),
        ("А И Не (Б) И Г", 2, 1),
        ("А И Ф(Б И В) И Г", 3, 2),
        ("Ф(А И Б, В И Г)", 2, 2),
        ("М[А ИЛИ Б] ИЛИ В", 2, 2),
        ("А.И = Б.Или", 0, 0),
        ('"А И Б" = В // И Г', 0, 0),
    ],
)
def test_runs_of_boolean_operators_are_told_apart(expression: str, cyclomatic: int, cognitive: int) -> None:
    assert measures(f"Б = {expression}\n;") == (1 + cyclomatic, cognitive, 1)


def test_operators_of_a_loop_condition_and_of_the_first_statement_are_counted_once() -> None:
    assert measures("Пока А И Б Цикл В = Г ИЛИ Д; КонецЦикла;") == (4, 3, 2)


def test_a_statement_without_semicolon_counts_before_any_end() -> None:
    assert measures("Если А Тогда Б() ИначеЕсли В Тогда Г() Иначе Д() КонецЕсли") == (4, 3, 4)


def test_declarations_are_no_statements_and_empty_ones_are() -> None:
    assert measures("Перем Б, В;\n;;") == (1, 0, 2)


def test_an_unbalanced_block_is_a_problem_and_the_next_method_is_not_affected() -> None:
    facts = parse_module(
        "Процедура А()\n\tЕсли Б Тогда\nКонецПроцедуры\n"
        "Процедура В()\n\tКонецЦикла;\n\tЕсли Б Тогда КонецЕсли;\nКонецПроцедуры\n"
    )
    assert [(p.reason, p.line) for p in facts.problems] == [("unbalanced_code", 3), ("unbalanced_code", 5)]
    assert [m.cyclomatic for m in facts.methods] == [2, 2]
