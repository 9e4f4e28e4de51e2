"""A small library of methods, written here: three subjects in several families, each method described in words of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.embeddings import task
from ai_stack_assets.domain.training.features import compute

VERBS = {
    "Получить": ("возвращает", "Возврат"),
    "Записать": ("сохраняет", "Сохранение"),
    "Удалить": ("стирает", "Стирание"),
    "Проверить": ("контролирует", "Контроль"),
}
THINGS = {
    "КурсВалюты": ("стоимость денежной единицы", "Кратность"),
    "АдресКонтрагента": ("место нахождения партнера", "Улица"),
    "ПраваПользователя": ("полномочия сотрудника", "Роль"),
    "ФайлОбмена": ("данные для передачи", "Каталог"),
    "ШтрихкодТовара": ("метку на упаковке", "Сканер"),
    "ЗадачуИсполнителя": ("поручение работника", "Срок"),
}
TUNED = {"size": 16, "least_rows": 1, "steps": 60, "batch": 32, "validate_every": 10, "patience": 6}


def rows(families: range) -> pa.Table:
    """Each family has every verb with every thing: 24 methods, all described but the last of each thing."""
    random = np.random.default_rng(families.start)
    methods = []
    for number in families:
        for thing, (meaning, part) in THINGS.items():
            for verb, (does, inside) in VERBS.items():
                name = f"{verb}{thing}{number}"
                words = " ".join(random.permutation([does, meaning, "для", "указанного", "раздела"]))
                body = f"\t{inside}{part} = Раздел.{part};\n\tВозврат {inside}{part};"
                code = f"Функция {name}(Раздел) Экспорт\n{body}\nКонецФункции"
                comment = "" if verb == "Проверить" else words
                methods.append(
                    {"code": code, "object": f"CommonModule.Раздел{chr(0x410 + number)}", "module_type": "CommonModule",
                     "doc_comment": comment, "configuration": "demo"}
                )  # fmt: skip
    return compute.of_methods(methods)


def sets() -> Sets:
    train, validation, test = (
        task.prepare(rows(families)) for families in (range(8), range(8, 10), range(10, 12))
    )
    return Sets(train, validation, test)
