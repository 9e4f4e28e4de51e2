"""Query texts among the string literals of a module: which literals are queries, and their text unquoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai_stack_assets.domain.bsl.lexer import keyword

_SELECT, _DROP = keyword("выбрать select"), keyword("уничтожить drop")
_CANDIDATE = re.compile(rf'["|;]\s*+(?:{_SELECT}|{_DROP})')
_START = re.compile(rf'(?:^|["|;\n])\s*+(?:{_SELECT}\s|({_DROP})\s)')
_SIGN = re.compile(
    # prose may begin with «Выбрать»
    r"\b"
    + keyword(
        "как as из from где where соединение join объединить union"
        " сгруппировать group упорядочить order итоги totals"
    )
)
_NEXT_LINE = re.compile(r"\n\s*+(?:(?://|\#)[^\n]*+\s*+)*\|")


def query_texts(text: str, strings: list[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Offset and text of each literal that is a query or a part of one."""
    for start, end in strings:
        if _CANDIDATE.search(text, start, end):
            literal = literal_text(text[start:end])
            if _is_query(literal):
                yield start, literal


def literal_text(raw: str) -> str:
    """Value of a string literal: `|` of further lines, comments between them and doubled quotes resolved."""
    raw = raw[1:-1] if raw.endswith('"') and len(raw) > 1 else raw[1:]
    return _NEXT_LINE.sub("\n", raw).replace('""', '"')


def _is_query(literal: str) -> bool:
    starts = _START.finditer(literal)
    first = next(starts, None)
    if first is None:
        return False
    return bool(first[1] or _SIGN.search(literal, first.end() - 1)) or any(start[1] for start in starts)
