"""Generated methods for the near-duplicate comparison: names, lines and copies in proportions like those of real configurations.

    python -m bench.dedupe_data FOLDER methods 140000     unique methods, copies, and families of two to six variants
    python -m bench.dedupe_data FOLDER forks 200000       families of 2,000 variants each, as forks of one library have them

The result is a version of the lake with the table `records`. The same arguments give the same data.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

WEEK = "2026-11-15"
FAMILY = 2_000
_STEMS = """
Документ Номенклатура Контрагент Склад Запрос Результат Выборка Строка Таблица Отбор Параметр Настройка Дата Сумма Количество
Цена Валюта Курс Организация Пользователь Роль Файл Путь Адрес Список Элемент Группа Форма Команда Отчет
""".split()  # noqa: SIM905
_TEMPLATES = (
    "{a} = {b}.{c}({d});",
    "Если {a} = {b} Тогда {c} = {d}; КонецЕсли;",
    'Запрос.УстановитьПараметр("{a}", {b}.{c});',
    'Сообщить("{a}: " + {b} + {c}); // {d}',
    "Для Каждого {a} Из {b}.{c} Цикл {d}.Добавить({a}); КонецЦикла;",
    "{a}.Вставить({b}, {c} + {d} * 100);",
    "Возврат {a}.{b}({c}, {d});",
)
_LINES, _COMMON = 200_000, 500


def _lines(draw: random.Random) -> list[str]:
    names = [f"{a}{b}" for a in _STEMS for b in _STEMS]
    return [
        draw.choice(_TEMPLATES).format(**dict(zip("abcd", draw.choices(names, k=4), strict=True)))
        for _ in range(_LINES)
    ]


def _method(number: int, draw: random.Random, lines: list[str]) -> list[str]:
    """Lines of one: mostly its own, one in six from the few that all use."""
    size = min(max(int(draw.lognormvariate(2.2, 0.7)), 2), 200)
    body = [lines[int(draw.random() * (_LINES if draw.random() > 0.16 else _COMMON))] for _ in range(size)]
    return [f"Процедура Метод{number}(Знач А, Б = Неопределено) Экспорт", *body, "КонецПроцедуры"]


def _variant(method: list[str], changes: int, draw: random.Random, lines: list[str]) -> list[str]:
    found = list(method)
    for _ in range(changes):
        found[1 + int(draw.random() * (len(found) - 2))] = lines[int(draw.random() * _LINES)]
    return found


def methods(count: int) -> Iterator[str]:
    """A half alone, a fifth exact copies, the rest in families of variants."""
    draw = random.Random(count)
    lines = _lines(draw)
    number = 0
    while number < count:
        method = _method(number, draw, lines)
        yield "\n".join(method)
        number += 1
        kind = draw.random()
        copies = 0 if kind < 0.7 else draw.randint(1, 5)
        for _ in range(min(copies, count - number)):
            changes = 0 if kind < 0.8 else draw.randint(0, 1 + len(method) // 10)
            yield "\n".join(_variant(method, changes, draw, lines))
            number += 1


def forks(count: int) -> Iterator[str]:
    """Every family has one long method; its variants differ in none to a fifth of its lines, so many pairs are near 0.8."""
    draw = random.Random(count)
    lines = _lines(draw)
    for family in range(-(-count // FAMILY)):
        body = [lines[int(draw.random() * _LINES)] for _ in range(draw.randint(15, 30))]
        method = [f"Процедура Метод{family}(А) Экспорт", *body, "КонецПроцедуры"]
        for _ in range(min(FAMILY, count - family * FAMILY)):
            yield "\n".join(_variant(method, draw.randint(0, len(body) // 5), draw, lines))


def make(folder: Path, kind: str, count: int):
    """The version, made unless it is there. 50,000 records are in memory at a time."""
    from ai_stack_assets.domain.common.lake import Lake
    from ai_stack_assets.domain.dataset import stage

    def write(parts: stage.Parts) -> dict:
        texts, start = {"methods": methods, "forks": forks}[kind](count), 0
        while start < count:
            end = min(start + stage.ROWS_PER_PART, count)
            parts.write("records", _table(start, [next(texts) for _ in range(start, end)]))
            start = end
        return {}

    return stage.build(Lake(folder / f"{kind}-{count}"), WEEK, stage.key("1", kind=kind, count=count), write)[
        0
    ]


def _table(start: int, codes: list[str]):
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.common.hashing import text_hash
    from ai_stack_assets.domain.dataset import records

    schema, n = records.schema(), len(codes)
    empty = records.record(source="github", repository="a/b", path="", code="")
    columns = {
        "id": [f"{number:016x}" for number in range(start, start + n)],
        "code": codes,
        "content_hash": [text_hash(code) for code in codes],
        # a module has ten methods, a repository a thousand
        "path": [f"{number // 10}.bsl" for number in range(start, start + n)],
        "repository": [f"owner/{number // 1000}" for number in range(start, start + n)],
    }
    arrays = [
        pa.array(columns[f.name], f.type)
        if f.name in columns
        else pa.array([empty[f.name]], f.type).take(pa.array(np.zeros(n, np.int8)))
        if f.name in empty
        else pa.nulls(n, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])).path)
