"""A git repository with code for the dataset."""

from __future__ import annotations

import subprocess
from pathlib import Path


def library(folder: Path) -> Path:
    """Twelve modules of four methods that are alike to nobody but a reader of prices."""
    methods = {m: [method(f"Цена{m}Вида{n}", m * 10 + n) for n in range(4)] for m in range(12)}
    commit(folder, **{f"Цены{m}": "\n".join(texts) for m, texts in methods.items()})
    return folder


def commit(repository: Path, **modules: str) -> None:
    for name, text in modules.items():
        file = repository / "src" / "CommonModules" / name / "Ext" / "Module.bsl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8-sig")
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "change"]):
        subprocess.run(["git", *command], cwd=repository, check=True)


def method(name: str, number: int) -> str:
    return f"""// Возвращает цену товара со скидкой.
//
// Параметры:
//  Цена - Число - цена без скидки.
//
// Возвращаемое значение:
//  Число - цена со скидкой.
//
Функция {name}(Цена) Экспорт
    ДоляСкидки = {number} / 100;
    Если Цена > {number * 7} Тогда
        Возврат Цена * (1 - ДоляСкидки) + Получить{name}();
    КонецЕсли;
    Возврат Цена + {name}ПоУмолчанию(Цена, "{name}");
КонецФункции
"""
