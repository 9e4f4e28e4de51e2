"""Detectors of people: a surname with initials, a full name with its patronymic, an author's or an editor's mark in a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai_stack_assets.domain.dataset.redaction.text import Detector, Find, any_of

_CAPITAL = r"[А-ЯЁ][а-яё]{1,}(?:-[А-ЯЁ][а-яё]+)?"
_INITIALS = r"[А-ЯЁ]\.[ \u00a0]?[А-ЯЁ]\."
_ENDING = r"(?:(?:ович|евич|ьич)(?:а|у|ем|ом|е)?|(?:овн|евн|ичн)(?:а|у|ы|е|ой))"
_SHORT = re.compile(
    rf"(?<![\w.«]){_CAPITAL}[ \u00a0]{_INITIALS}(?!\w)|(?<![\w.]){_INITIALS}[ \u00a0]?{_CAPITAL}(?![\w.])"
)
_FULL = re.compile(
    rf"(?<![\w.])(?:{_CAPITAL}[ ])?{_CAPITAL}[ ][А-ЯЁ][а-яё]*?{_ENDING}(?!\w)(?:[ ]{_CAPITAL})?(?![\w])"
)
_PERSON = rf"(?:{_CAPITAL}[ ](?:[А-ЯЁ]\.|{_CAPITAL})|[A-Z][a-z]+[ ](?:[A-Z]\.[ ])?[A-Z][a-z]+)"
_AUTHOR = re.compile(
    r"(?:\b(?:автор\w*|разработчик\w*|разработал\w*|программист|доработал\w*|изменил\w*|исправил\w*"
    rf"|author|developer|modified by|created by)[ ]*[:\-–—=]?|©|\(c\))[ ]*(?:\d{{4}}[ ]*,?[ ]*)?(?P<who>{_PERSON})(?![\w(])",
    re.I,
)
_WHO = re.compile(_PERSON)
_EDIT = re.compile(
    rf"//[ ]*[+\-{{}}<>*#]+[ ]*(?P<who>{_CAPITAL}(?:[ ][А-ЯЁ]\.){{0,2}})[ ,]+\d{{2}}[./]\d{{2}}[./]\d{{2,4}}"
)
_CASES = r"(?:а|у|ым|е|ой|ы|ых|ыми)?"
_NOBODY = re.compile(
    # a surname is whole: Иванович and Петровна are patronymics of somebody
    rf"\b(?:Фамили|Имя|Имени|Отчеств|Общество|Фирма|(?:Иванов|Петров|Сидоров|Пупкин){_CASES}\b"
    r"|(?:Ivan Ivanov|John Doe|John Smith|Jane Doe|All Rights)\b)"
)
_DATE = re.compile(r"[0-9][./][0-9]{2}[./][0-9]{2}")
_HINT = re.compile(r"[а-яё]\.[ \u00a0]?[а-яё]\.")
_AUTHORS = any_of(
    "автор",
    "разработ",
    "программист",
    "доработ",
    "изменил",
    "исправил",
    "author",
    "developer",
    "ed by",
    "©",
    "(c)",
)


def detectors() -> tuple[Detector, ...]:
    return (
        Detector("person", any_of("ович", "евич", "ьич", "овн", "евн", "ичн"), _by(_FULL)),
        Detector("person", _HINT.search, _by(_SHORT)),
        Detector("person", _AUTHORS, _authors),
        Detector("person", _DATE.search, _edits),
    )


def _by(pattern: re.Pattern[str]) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        for found in pattern.finditer(text, start, end):
            if not _NOBODY.search(found[0]):
                yield found.span()

    return find


def _authors(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _AUTHOR.finditer(text, start, end):
        # letters of either case match under the label's flag; a name has capitals
        if _WHO.fullmatch(found["who"]) and not _NOBODY.search(found["who"]):
            yield found.span("who")


def _edits(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`//+++ Кузнецов 01.02.2020`: who changed the line."""
    for found in _EDIT.finditer(text, start, end):
        if not _NOBODY.search(found["who"]):
            yield found.span("who")
