"""Families of modules: `ПользователиКлиент`, `ПользователиСлужебныйВызовСервера` and the catalog `Пользователи` are one.

Modules of a family are written together and alike, so a model that has seen one knows much of the others. A split by families is
the honest one. The name alone decides, not the configuration: the same library is built into many of them.
"""

from __future__ import annotations

from functools import lru_cache

from ai_stack_assets.domain.bsl.lexer import words
from ai_stack_assets.domain.common.identifiers import split

_ENDINGS = words(
    "клиент сервер клиента сервера служебный служебная служебное внутренний вызов вызова повт исп повторное"
    " использование повторного использования глобальный переопределяемый локализация полные права"
    " привилегированный привилегированная модели сервиса события обычный обычное приложение внешнее соединение"
    " client server call internal private cached reuse reusable global overridable localization full access"
    " privileged saas events"
)
"""Parts that say where or for whom a module runs, not what it is about (1C's standard 469 and its habits)."""
_JOINTS = words("в на и in of the")
"""Dropped only between or before endings: `ПользователиСлужебныйВМоделиСервиса`."""


@lru_cache(50_000)
def family(owner: str) -> str:
    """Family of the object that a module belongs to.

    Args:
        owner: full name (`CommonModule.ПользователиКлиент`, `Catalog.Валюты.Form.ФормаСписка`), or any name of a module.

    Returns:
        Lower case without `ё`: `пользователи`, `валюты`; empty for an empty name.
    """
    names = owner.split(".")
    name = names[1] if len(names) > 1 else names[0]
    parts = [part.lower().replace("ё", "е") for part in split(name)]
    kept = len(parts)
    while kept > 1 and (parts[kept - 1] in _ENDINGS or parts[kept - 1].isdigit()):
        kept -= 1
        while kept > 1 and parts[kept - 1] in _JOINTS:
            kept -= 1
    return "".join(parts[:kept]) or name.lower()
