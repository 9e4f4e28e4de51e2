"""What a record says of a method's header, and how its code is counted: texts alone, no files and no cache.

Apart from the sources, so that a model in service needs nothing of them to read a method.
"""

from __future__ import annotations

import re

DIRECTIVES = {
    "AtClient": "&НаКлиенте",
    "AtServer": "&НаСервере",
    "AtServerNoContext": "&НаСервереБезКонтекста",
    "AtClientAtServer": "&НаКлиентеНаСервере",
    "AtClientAtServerNoContext": "&НаКлиентеНаСервереБезКонтекста",
}
_TOKEN = re.compile(r'//[^\n]*+|("[^"]*+(?:""[^"]*+)*"?+|\d++\.\d++|\w++|[^\w\s])')
"""Comments have no group 1."""
_ENGLISH = re.compile(r"[A-Za-z]")


def declaration(code: str, signature: str, *, is_export: bool) -> str:
    """`Функция Имя(А) Экспорт` from the code and `Имя(А)`, in the language of its keyword."""
    name = signature.partition("(")[0]
    words = code[: code.find(name)].split() if name in code else []
    keyword = " ".join(words)
    export = " Export" if _ENGLISH.match(keyword) else " Экспорт"
    return f"{keyword} {signature}".strip() + (export if is_export else "")


def count_tokens(code: str) -> int:
    """BSL tokens, comments left out. One expression: 70,000 methods a second."""
    found = _TOKEN.findall(code)
    return len(found) - found.count("")
