"""Methods whose complexity follows from their names, in modules of several families: what a regressor can learn from."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features.compute import of_methods
from ai_stack_assets.domain.training.regressor import task

VERBS = {"Получить": 0, "Это": 1, "Проверить": 4, "Заполнить": 9}
"""Verb → conditions in the code."""
THINGS = ("Курс", "Остаток", "Заказ", "Клиента", "Цену", "Склад", "Договор", "Скидку")


def method(name: str, conditions: int, **columns: Any) -> dict[str, Any]:
    body = "\tЕсли А = 1 Тогда\n\t\tБ = 2;\n\tКонецЕсли;\n" * conditions
    code = f"Функция {name}(Знач А, Б = Неопределено) Экспорт\n{body}\tВозврат Б;\nКонецФункции"
    return {"code": code, "module_type": "CommonModule", "configuration": "trade", **columns}


def rows(families: range, seed: int = 0, each: int = 24) -> pa.Table:
    """Rows of the features table, some methods in one module of every family."""
    chance = random.Random(f"{seed} {families}")
    made = []
    for family in families:
        for i in range(each):
            verb = chance.choice(sorted(VERBS))
            name = f"{verb}{chance.choice(THINGS)}{i}"
            noise = chance.randint(0, 1)
            made.append(
                method(name, VERBS[verb] + noise, object=f"CommonModule.Область{chr(0x410 + family)}")
            )
    return of_methods(made)


def sets(each: int = 24) -> Sets:
    parts = (range(10), range(10, 13), range(13, 16))
    return Sets(*(task.prepare(rows(part, each=each)) for part in parts))
