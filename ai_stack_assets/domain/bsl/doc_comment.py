"""The comment above a method, split into its parts as 1C's standard 453 lays them down. Text in, JSON out.

The standard is followed loosely by people, so nothing is ever refused: a line that fits nowhere continues
what stands above it, and a comment without sections is all description.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

EMPTY = '{"description":"","parameters":[],"returns":[]}'

_SECTION = re.compile(
    r"\s*(?:(?P<parameters>параметры|parameters)|(?P<returns>возвращаемое\s+значение|возвращаемые\s+значения|returns?|return\s+value)"
    r"|(?P<call_options>варианты\s+вызова|call\s+options)|(?P<example>пример(?:ы)?(?:\s+использования)?|examples?))\s*:\s*$"
    r"|\s*(?P<deprecated>устарел[аоы]|deprecated)[.:]?(?:\s+|$)",
    re.I,
)
_DECORATION = re.compile(r"[\s/\-=*_#]*$")
_DASH = r"(?<!\s)\s++[-–—](?:\s+|$)"
_NAMED = re.compile(rf"(?P<name>[^\W\d]\w*){_DASH}\s*(?P<rest>.*)$")
_STARRED = re.compile(rf"(?P<stars>\*+)\s*(?P<name>[^\W\d]\w*)(?:{_DASH}\s*(?P<rest>.*))?$")
_ALTERNATIVE = re.compile(r"[-–—]\s+(?P<rest>.*)$")
_SPLIT = re.compile(_DASH)
_TYPE = re.compile(
    r"(?:см\.\s*|see\s+)?[^\W\d][\w.]*(?:\s+(?:из|of|содержит|contains)\s+(?:см\.\s*|see\s+)?[\w.]+)?(?:\([^()]*\))?$",
    re.I,
)
_KNOWN_TYPE = re.compile(
    r"(?:\w+\.)+\w+$|(?:см\.|see\s)|\w+\s+(?:из|of)\s"
    r"|(?:строка|число|булево|дата|неопределено|null|тип|произвольный|массив|структура|соответствие|форма\w*"
    r"|string|number|boolean|date|undefined|arbitrary|any|type|array|structure|map|uuid)$",
    re.I,
)
_NOTHING = frozenset(("нет", "none", "отсутствуют", "отсутствует"))
_COMPOUND_TYPE = re.compile(r"[^\W\d_]*[а-яёa-z][А-ЯЁA-Z]\w*$")


def parse_doc_comment(comment: str) -> str:
    """JSON for `methods.doc`: `{"description","parameters":[{"name","types","description"}],"returns":[…]}`.

    Beyond these keys, only when present: `fields` (nested `* поле`) in a parameter or a returned value, and
    at the top `deprecated`, `example`, `call_options` (texts). `См. Модуль.Метод` stays in the description.

    Args:
        comment: Text without `//`, lines joined by `\\n`.
    """
    if not comment or comment.isspace():
        return EMPTY
    sections: dict[str, list[str]] = {"description": []}
    current = "description"
    for line in comment.split("\n"):
        found = (
            _SECTION.match(line) if ":" in line or line.lstrip()[:6].lower() in ("устаре", "deprec") else None
        )
        if found and found.lastgroup == "deprecated" and current == "description":
            sections["deprecated"] = [line[found.end() :]]
            continue
        if found and found.lastgroup != "deprecated":
            current = found.lastgroup or current
            sections.setdefault(current, [])
            continue
        if not _DECORATION.match(line):
            sections[current].append(line.rstrip())
        elif sections[current] and current != "parameters" and not line.strip(" \t/"):
            sections[current].append("")
    doc: dict[str, Any] = {
        "description": _text(sections.pop("description")),
        "parameters": _items(sections.pop("parameters", []), named=True),
        "returns": _items(sections.pop("returns", []), named=False),
    }
    doc.update((name, _text(lines)) for name, lines in sections.items())
    return msgspec.json.encode(doc, order="sorted").decode()


def _text(lines: list[str]) -> str:
    """Lines without the indent that all of them share, and without empty ones at either end."""
    import textwrap

    return textwrap.dedent("\n".join(lines)).strip("\n").strip()


def _items(lines: list[str], named: bool) -> list[dict[str, Any]]:
    """Parameters (`named`) or returned values, with their fields nested by the number of stars."""
    items: list[dict[str, Any]] = []
    stack: list[dict[str, Any]] = []
    indent: int | None = None
    for line in lines:
        text = line.strip()
        if not text or text.lower().rstrip(".") in _NOTHING:
            continue
        depth = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        indent = depth if indent is None else indent
        if (starred := _STARRED.match(text)) and stack:
            level = len(starred["stars"])
            del stack[level:]
            item = _item(starred["rest"] or "", starred["name"])
            stack[-1].setdefault("fields", []).append(item)
            stack.append(item)
        elif (alternative := _ALTERNATIVE.match(text)) and (stack or not named):
            if named or len(stack) > 1:
                _add_alternative(stack[-1], alternative["rest"])
            else:
                stack = [_item(alternative["rest"])]
                items += stack
        elif named and depth <= indent and (found := _NAMED.match(text)):
            stack = [_item(found["rest"], found["name"])]
            items += stack
        elif stack:
            stack[-1]["description"] = (stack[-1]["description"] + "\n" + text).strip()
        else:
            name = text.rstrip(":") if named and text.rstrip(":").isidentifier() else None
            # alone in its line, a returned value is a type
            is_type = not named and text.rstrip(":").isidentifier()
            stack = [
                _item("", name) if name else _item(f"{text} - " if is_type else text, "" if named else None)
            ]
            items += stack
    return items


def _item(rest: str, name: str | None = None) -> dict[str, Any]:
    types, description = _typed(rest)
    item: dict[str, Any] = {"types": types, "description": description}
    return item if name is None else {"name": name, **item}


def _add_alternative(item: dict[str, Any], rest: str) -> None:
    """A further `- Тип - описание` of the same parameter: its description keeps the type it belongs to."""
    types, description = _typed(rest)
    item["types"] += [t for t in types if t not in item["types"]]
    if description:
        line = f"{', '.join(types)} - {description}" if types else description
        item["description"] = (item["description"] + "\n" + line).strip()


def _typed(rest: str) -> tuple[list[str], str]:
    """`Тип, Тип2 - описание` → its two parts. Old comments give no type: then all is description."""
    head, *tail = _SPLIT.split(rest, maxsplit=1)
    types = [part.strip() for part in head.strip().rstrip(":;.").split(",") if part.strip()]
    if (
        types
        and all(_TYPE.match(t) for t in types)
        and (tail or all(_KNOWN_TYPE.match(t) or _COMPOUND_TYPE.match(t) for t in types))
    ):
        return types, tail[0].strip() if tail else ""
    return [], rest.strip()
