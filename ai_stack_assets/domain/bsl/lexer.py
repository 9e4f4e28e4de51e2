"""Masking and keywords of BSL: what is not code is blanked, offsets stay, and later passes need not know it.

Patterns are possessive throughout: no input, a 5 MB line included, makes them backtrack. Keywords are spelled
as character classes rather than with IGNORECASE, because `re` then skips by first letter.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Masked(NamedTuple):
    """A module whose comments, literals and preprocessor lines are blanked."""

    code: str
    """As long as the text: `"` for strings and dates, `~` for labels, blanks for comments and `#` lines."""
    strings: list[tuple[int, int]]
    """Spans of the string literals that are long enough for a query, quotes and bars included."""
    directives: list[tuple[int, str]]
    """Offset and text of preprocessor lines: `#Область Имя`, `#Если Сервер Тогда`."""
    unclosed: list[int]
    """Offsets of `#Удаление` without `#КонецУдаления`."""


SHORTEST_QUERY = 12
"""Characters of a string literal, quotes included, below which it is never a query."""

INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff\x00"
"""Neither blanks to `re` nor letters, found in pasted code: the platform's editor does not show them."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def any_case(wanted: str) -> str:
    """A pattern, one branch per first letter, for any of the blank-separated words in any case."""
    return _branches(wanted.split())


def _branches(tails: list[str]) -> str:
    by_letter: dict[str, list[str]] = {}
    for tail in filter(None, tails):
        by_letter.setdefault(tail[0], []).append(tail[1:])
    if not by_letter:
        return ""
    options = [f"[{letter.upper()}{letter}]{_branches(rest)}" for letter, rest in by_letter.items()]
    return f"(?:{'|'.join(options)})" + ("?+" if "" in tails else "")


def keyword(wanted: str) -> str:
    return any_case(wanted) + r"(?!\w)"


_STRING_PART = r'[^"\n]*+(?:""[^"\n]*+)*'
NOISE = re.compile(
    rf'"{_STRING_PART}(?:"|(?:\s*+(?://[^\n]*+\s*+)*\|{_STRING_PART})*"?+)'
    r"|//[^\n]*+(?:\s*+//[^\n]*+)*"
    r"|'[^'\n]*+'?+"
    rf"|\#(?:[ \t]*+{keyword('вставка insert конецвставки endinsert')}|[^\n]*+)"
    # a part of a string that a preprocessor line cut off from its beginning
    rf'|\|{_STRING_PART}"?+'
    r"|~\s*+\w++"
)
"""Literals, comments, preprocessor lines and labels: what is not code. The first character tells which."""
_FILL = {'"': '"', "|": '"', "'": '"', "~": "~", "/": " ", "#": " "}
_DELETE = any_case("удаление delete")
_HAS_DELETION = re.compile(rf"\#[ \t]*+{_DELETE}")
_DELETION = re.compile(rf"(?m)^[ \t]*+\#[ \t]*+(?:({_DELETE})|{any_case('конецудаления enddelete')})")


def mask(text: str) -> Masked:
    """Blank what is not code. `text` has `\\n` line ends."""
    text, unclosed = _without_deletions(text)
    for character in INVISIBLE:
        if character in text:
            text = text.replace(character, " ")
    parts: list[str] = []
    strings: list[tuple[int, int]] = []
    directives: list[tuple[int, str]] = []
    last = 0
    for match in NOISE.finditer(text):
        start, end = match.span()
        first = text[start]
        if first == '"':
            if end - start >= SHORTEST_QUERY:
                strings.append((start, end))
        elif first == "|":
            cut = strings and text[strings[-1][1] - 1] != '"'
            strings.append((strings.pop()[0] if cut else start, end))
        elif first == "#":
            directives.append((start, text[start:end]))
        parts.append(text[last:start])
        parts.append(_FILL[first] * (end - start))
        last = end
    parts.append(text[last:])
    return Masked("".join(parts), strings, directives, unclosed)


def _without_deletions(text: str) -> tuple[str, list[int]]:
    """Blank what an extension's `#Удаление … #КонецУдаления` takes out of the original; line ends stay."""
    if not _HAS_DELETION.search(text):
        return text, []
    opened: int | None = None
    parts, unclosed, last = [], [], 0
    for match in _DELETION.finditer(text):
        if match[1]:
            if opened is not None:
                unclosed.append(opened)
            opened = match.start()
        elif opened is not None:
            parts.append(text[last:opened])
            parts.append(re.sub(r"[^\n]+", lambda m: " " * len(m[0]), text[opened : match.end()]))
            last, opened = match.end(), None
    if opened is not None:
        unclosed.append(opened)
    parts.append(text[last:])
    return "".join(parts), unclosed


IF, LOOP, TRY, ELSIF, ELSE, EXCEPT, END_IF, END_LOOP, END_TRY = range(9)
GOTO, OPERATOR, VAR, SUB, END_SUB, DIRECTIVE = range(9, 15)
_KINDS = {
    IF: "если if",
    LOOP: "для for пока while",
    TRY: "попытка try",
    ELSIF: "иначеесли elsif",
    ELSE: "иначе else",
    EXCEPT: "исключение except",
    END_IF: "конецесли endif",
    END_LOOP: "конеццикла enddo",
    END_TRY: "конецпопытки endtry",
    GOTO: "перейти goto",
    OPERATOR: "и или and or ?",
    VAR: "перем var",
    SUB: "процедура функция procedure function",
    END_SUB: "конецпроцедуры конецфункции endprocedure endfunction",
    DIRECTIVE: "&",
}
KIND: dict[str, int] = {word: kind for kind, spellings in _KINDS.items() for word in spellings.split()}
_WORDS = " ".join(word for word in KIND if word.isalpha())
_FIRST = "".join(sorted({letter for word in _WORDS.split() for letter in (word[0], word[0].upper())}))
_SEPARATOR = r"\s;:)\]\"'|"

TOKENS = re.compile(
    # skip separators and other words; a keyword after a dot is a property: `Обработчик.Процедура`
    rf"(?:[{_SEPARATOR}]++|(?:(?![{_FIRST}])|(?!{keyword(_WORDS)}))[^{_SEPARATOR}?&]++(?:(?<=\.)\s*+\w++)?)*"
    # the match at the end of the code, without group 1, keeps `re` from starting again inside of words
    rf"(?:({keyword(_WORDS)}|[?&])|\Z)"
)
"""Keywords that structure a module, in masked code: group 1. `KIND` tells their kind by spelling."""


def kind_of(word: str) -> int:
    """Kind of a keyword that `TOKENS` found: memoised by spelling in `KIND`."""
    KIND[word] = kind = KIND[word.lower()]
    return kind


ALL_KEYWORDS = words(_WORDS) | words(
    "асинх async истина true ложь false неопределено undefined null экспорт export знач val тогда then цикл"
    " do по to каждого each из in возврат return продолжить continue вызватьисключение raise не not новый new"
    " прервать break выполнить execute добавитьобработчик addhandler удалитьобработчик removehandler"
)
"""Reserved words, lower case: before `(` they are no calls. `Ждать` is one in asynchronous methods alone."""
