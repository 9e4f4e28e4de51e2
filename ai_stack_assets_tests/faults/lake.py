"""Versions of a configuration for fault tests: every row of a version carries the version's word, so that a reader can
tell what it sees, and a synchronisation from one to the other rewrites everything."""

from __future__ import annotations

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.onec import tables as t

OLD, NEW = "давнишний", "свежайший"
"""Words that no other text of the configuration has, of different stems."""
MODULES, METHODS = 40, 20
ROWS = MODULES * METHODS
ROOT = "Configuration.Сбой"


def version(lake: Lake, word: str, configuration: str = "сбой", modules: int = MODULES) -> Version:
    """Common modules that call one another. Equal arguments give equal rows."""
    flags = [True, False, False, False, False, False, False, "DontUse"]
    names = [f"Модуль{number:04}" for number in range(modules)]
    objects = [_object(ROOT, None, word)] + [_object(f"CommonModule.{name}", ROOT, word) for name in names]
    code = [
        t.ModuleRow(
            f"CommonModule.{name}.Module", "CommonModule", f"CommonModule.{name}", f"{name}.bsl", "parsed", 9, 9,
            *flags, "[]", "[]", text_hash(name + word),
        )
        for name in names
    ]  # fmt: skip
    methods = [_method(row.id, number, word) for row in code for number in range(METHODS)]
    calls = [
        _call(row, methods[place // METHODS * METHODS + (place * 7 + 1) % METHODS].id, word)
        for place, row in enumerate(methods)
    ]
    tables = {"objects": objects, "modules": code, "methods": methods, "calls": calls}
    rows = {name: sorted(tables.get(name, [])) for name in t.TABLES}
    return write_version(lake, configuration, rows, f"{text_hash(word + str(modules))[:12]}")


def _object(id_: str, owner: str | None, word: str) -> t.ObjectRow:
    kind, name = id_.split(".")
    return t.ObjectRow(id_, kind, name, "", "{}", word, owner, "own", "{}", f"{name}.xml")


def _method(module: str, number: int, word: str) -> t.MethodRow:
    name = f"Метод{number:02}"
    body = f"Процедура {name}()\n\tСообщить({number});\nКонецПроцедуры"
    return t.MethodRow(
        id=f"{module}.{name}", module_id=module, object_id=module.rpartition(".")[0], name=name, kind="Procedure",
        is_export=word == NEW, is_async=False, directive=None, annotations="[]", region="", signature=f"{name}()",
        parameters="[]", doc_comment=word, doc="{}", start_line=1 + (word == NEW), end_line=3, cyclomatic=1,
        cognitive=0, statements=1, body=body, body_hash=text_hash(body + word),
    )  # fmt: skip


def _call(caller: t.MethodRow, target: str, word: str) -> t.CallRow:
    line = 2 + (word == NEW)
    return t.CallRow(f"{caller.id}#1", caller.id, caller.module_id, None, "Метод", line, "resolved", target)
