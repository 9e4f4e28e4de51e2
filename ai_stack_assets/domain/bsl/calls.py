"""Call sites of masked code, and variables that hold a common module.

Works on the reversed code: there every call begins with a parenthesis, which `re` finds at the speed of a
character search, and name and receiver follow it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS, any_case, words

_NO_CALL = any_case("новый new процедура procedure функция function"[::-1])
_CALL = re.compile(
    r"\(\s*+(\w++)"
    # a receiver: names, or an expression that ends with a bracket
    r"(?:\s*+(\.)\s*+(?:(\w++(?:\s*+\.\s*+\w++)*)(\s*+\.\s*+(?=[)\]]))?)?"
    # or what makes it no call: a type after `Новый`, the name in a header, an annotation
    rf"|(\s++{_NO_CALL}(?![\w.])|\s*+&))?"
)
_LINK = re.compile(r"\s*+(?:\w++(?:\s*+\.\s*+\w++)*)?(\s*+\.\s*+(?=[)\]])|(?=[)\]]))?")
_BRACKET = re.compile(r"[()\[\]]")
_BLANKS = re.compile(r"\s*+(\.)\s*+|\s++")
_LONGEST_RECEIVER = 200
_MOST_LINKS = 10
"""Characters and calls kept of an expression before a dot: bounds time and size on chains of thousands of calls."""

_VARIABLE = re.compile(r"\s*+=\s*+(\w++)(?!\s*+\.)(?:\s*+(\w++|[=(,\[]))?")
_COMPARING = frozenset(
    (*"=(,[", *words("если if иначеесли elsif пока while и and или or не not возврат return"))
)
_ARGUMENT = re.compile(r'\s*+\(\s*+"([^"\n]++)"\s*+\)')

_NAMES: dict[str, str] = {}
_RECEIVERS: dict[str, str] = {}
_GETTERS: set[str] = set()
"""Reversed spellings met so far, with what they read ('' for a reserved word): names repeat ten times."""


CallSite = tuple[int, str, str | None]
"""Offset of the name, name, receiver: a plain tuple, for there are hundreds of thousands."""


class ModuleVariable(NamedTuple):
    start: int
    variable: str
    module: str


def find_calls(text: str, code: str) -> tuple[list[CallSite], list[ModuleVariable]]:
    """Call sites in order: every `Имя(` that bsl-parser takes for a `methodCall`, and each variable set to
    `ОбщийМодуль("Имя")`. `Ждать(` is among the calls: the caller knows whether the method is asynchronous."""
    backwards, size = code[::-1], len(code)
    names, receivers, getters = _NAMES, _RECEIVERS, _GETTERS
    calls: list[CallSite] = []
    variables: list[ModuleVariable] = []
    for match in _CALL.finditer(backwards):
        raw, dot, receiver, bracket, no_call = match.groups()
        if no_call is not None:
            continue
        name = names.get(raw)
        if name is None:
            name = _remember_name(raw)
        if dot:
            name = name or raw[::-1]
            if receiver is None or bracket is not None:
                receiver = _expression(text, code, backwards, match)
            else:
                receiver = receivers.get(receiver) or _remember_receiver(receiver)
        elif not name:
            continue
        start = size - match.end(1)
        calls.append((start, name, receiver))
        if name in getters:
            variables.extend(_module_variable(text, backwards, match, start))
    calls.reverse()
    variables.reverse()
    return calls, variables


def _remember_name(raw: str) -> str:
    name = raw[::-1]
    lower = name.lower()
    if len(_NAMES) > 100_000:
        _NAMES.clear()
    _NAMES[raw] = name = "" if lower in ALL_KEYWORDS or name[0].isdigit() else name
    if lower in ("общиймодуль", "commonmodule"):
        _GETTERS.add(name)
    return name


def _remember_receiver(raw: str) -> str:
    if len(_RECEIVERS) > 100_000:
        _RECEIVERS.clear()
    _RECEIVERS[raw] = receiver = "".join(raw.split())[::-1]
    return receiver


def _expression(text: str, code: str, backwards: str, match: re.Match[str]) -> str:
    """What stands before the dot when it has brackets: as written, blanks reduced, a long start as `…`."""
    size = len(code)
    first = position = match.end(2)
    limit = first + _LONGEST_RECEIVER
    if match[3]:
        position = match.end()
    more, cut, links = True, "", 0
    while more:
        closed = _closing(backwards, position, limit) if links < _MOST_LINKS else None
        if closed is None:
            cut = "…"
            break
        links += 1
        link = _LINK.match(backwards, closed)
        assert link is not None
        position, more = link.end(), link[1] is not None
    start, end = size - position, size - first
    written = text[start:end]
    if "//" in written:
        written = code[start:end]
    return cut + _BLANKS.sub(lambda m: m[1] or " ", written.strip())


def _closing(backwards: str, position: int, limit: int) -> int | None:
    """Offset behind the bracket that matches the next one; None when it is too far away."""
    depth = 0
    for bracket in _BRACKET.finditer(backwards, position, limit):
        depth += 1 if bracket[0] in ")]" else -1
        if depth == 0:
            return bracket.end()
    return None


def _module_variable(text: str, backwards: str, match: re.Match[str], start: int) -> list[ModuleVariable]:
    """The variable that gets the value of this `ОбщийМодуль("Имя")`; none when it is used otherwise."""
    target = _VARIABLE.match(backwards, match.end())
    argument = _ARGUMENT.match(text, start + len(match[1]))
    if not target or not argument or (target[2] or "")[::-1].lower() in _COMPARING:
        return []
    return [ModuleVariable(start, target[1][::-1], argument[1])]
