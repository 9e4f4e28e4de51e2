"""Tokens and keywords of 1C's query language, both languages. No grammar here."""

from __future__ import annotations

import re

_PART = r"(?:[&#%]?\w+[%#]?|\[\w+\])"
_TOKEN = re.compile(
    r"//[^\n]*+"
    r'|("(?:[^"]++|"")*"'
    # A dotted path is one token. Parts may be run-time placeholders: `&Имя`, `#Имя#`, `%1`, `[Имя]`
    rf"|(?:[&#%]\s*+\w+[%#]?|\[\w+\]|[^\W\d]\w*+)(?:\s*+\.\s*+{_PART})*"
    r"|\d++(?:\.\d++)?"
    r"|<>|<=|>="
    # `@` only marks a table for a later replacement
    r"|[^\s@])"
)
_BLANKS = re.compile(r"\s+")

_WORDS = """
select выбрать select | allowed разрешенные allowed | distinct различные distinct | top первые top |
into поместить добавить into add | from из from | where где where | group сгруппировать group | by по by
on | having имеющие having | for для for | update изменения update | index индексировать index | union
объединить union | all все all | order упорядочить order | autoorder автоупорядочивание autoorder |
totals итоги totals | overall общие overall | left левое left | right правое right | full полное full |
inner внутреннее inner | outer внешнее outer | join соединение join | as как as | and и and | or или or
| not не not | in в in | like подобно like | escape спецсимвол escape | between между between | is есть
is | refs ссылка refs | case выбор case | when когда when | then тогда then | else иначе else | end
конец end | asc возр asc | desc убыв desc | hierarchy иерархия иерархии hierarchy | only только only |
periods периодами periods | drop уничтожить drop | constant null истина true ложь false неопределено
undefined | grouping группирующим grouping | sets наборам sets | unique уникально unique | of of
"""
KEYWORDS: dict[str, str] = {
    word: code for group in _WORDS.split("|") for code, *words in [group.split()] for word in words
}
"""Keyword in lower case → its code. Names of functions are no keywords: any field may have them."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


JOINS = _set("left right full inner join")
NOT_OPERANDS = _set(
    "select from where group by having union order totals as and or in like between is when then else"
    " into join escape"
)
"""Keywords that cannot name a field where a value is expected; others can (`Ссылка`, `Общие`, `Конец`)."""

PERIODS = _set(
    "секунда second минута minute час hour день day неделя week месяц month квартал quarter год year"
    " декада tendays полугодие halfyear"
)
UNARY_NAMES = _set("значение value тип type")
"""Functions whose argument names metadata, not a field."""
CAST = _set("выразить cast")
EMPTY_TABLE = _set("пустаятаблица emptytable")

Token = str


def tokens(text: str) -> list[Token]:
    """Tokens without blanks and comments; no blanks inside dotted paths. Linear in the text's length."""
    return [
        _BLANKS.sub("", token) if token[0] != '"' and len(token) > 2 and not token.isidentifier() else token
        for token in _TOKEN.findall(text)
        if token
    ]


def is_name(token: Token) -> bool:
    """A field, a table, a parameter or a placeholder, with or without dots."""
    first = token[0]
    return first.isalpha() or first == "_" or (len(token) > 1 and first in "&#%[")
