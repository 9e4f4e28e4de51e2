"""What the site of these tests reads: the sample with a past in git, and a git repository with code for the dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

from ai_stack_assets_tests.domain.onec.git_history import Repository
from ai_stack_assets_tests.platform import SAMPLE

PAST = ("2020-01", "2020-02", "2020-03")
"""Months: two states in the first, none in the second, one in the third."""


def sample_with_a_past(folder: Path) -> Path:
    """The sample as it is, after two states with fewer files."""
    repository = Repository(folder)
    for day, left_out in (("01-10", ("CommonModules", "Reports")), ("01-20", ("Reports",)), ("03-05", ())):
        shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
        for name in left_out:
            shutil.rmtree(folder / name, ignore_errors=True)
        repository.commit(f"2020-{day}")
    return folder


def library(folder: Path) -> Path:
    """Twelve modules of four methods that are alike to nobody but a reader of prices."""
    repository = Repository(folder)
    modules = {
        f"src/CommonModules/Цены{m}/Ext/Module.bsl": "\n".join(
            method(f"Цена{m}Вида{n}", m * 10 + n) for n in range(4)
        )
        for m in range(12)
    }
    repository.commit("2020-01-01", modules)
    return folder


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
