"""Detectors of e-mails, phones, cards and the numbers that Russian papers carry. Where a number has a checksum, it must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ai_stack_assets.domain.bsl.lexer import words
from ai_stack_assets.domain.dataset.redaction.text import Detector, Find, any_of, by_pattern

_EMAIL = re.compile(r"(?<![\w.+/=-])[A-Za-z0-9][\w.+-]{0,63}@(?:[\w-]+\.)+[^\W\d_]{2,}")
_EXAMPLE_MAIL = re.compile(
    r"@(?:[\w-]+\.)*(?:example|test|invalid|localhost|domain|mydomain|server\d*|company|пример|домен|сервер|компания)(?:\.\w+)?$|^git@",
    re.I,
)

_URL = re.compile(r"://[^\s/\"']*\Z")

_DIGITS = re.compile(r"[0-9][0-9 ()\-\u00a0]{7,}[0-9]")
_PHONE = re.compile(
    r"(?<![\w.,/\-+=:])(?:\+\d{1,3}|8|7)?[ \-\u00a0]?\(?\d{3,5}\)?[ \-\u00a0]?\d{1,3}[ \-\u00a0]?\d{2}[ \-\u00a0]?\d{2}"
    r"(?![\w\-/]|[.,]\d)"
)
_PHONE_WORD = re.compile(r"тел\.|телефон|\bфакс|\bмоб|\bphone|\btel\b|whatsapp|viber|\bзвон", re.I)
_EXAMPLE_PHONE = re.compile(r"(\d)\1{4}|(?:123-?45-?67|1234567|000-?00)")

_CARD = re.compile(
    r"(?<![\w.\-])(?:[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?![\w\-]|\.\d)"
)
_TEST_CARDS = words(
    "4111111111111111 4242424242424242 4000000000000002 4012888888881881 5555555555554444 5105105105105100 2200000000000004"
    " 378282246310005 371449635398431 4276000000000000"
)
_NUMBER = re.compile(r"(?<![\w.\-])\d{10,15}(?![\w\-]|\.\d)")
_SNILS = re.compile(r"(?<![\w.\-])\d{3}-\d{3}-\d{3}[ -]\d{2}(?![\w\-])|(?<![\w.\-])\d{11}(?![\w\-])")
_PASSPORT = re.compile(
    r"(?<![\w.\-])\d{2}[ ]?\d{2}(?:[ ]|[ ]?(?:№|N|номер)[ ]?)\d{6}(?![\w\-])|(?<![\w.\-])\d{10}(?![\w\-])",
    re.I,
)
_PASSPORT_WORD = any_of("паспорт", "passport")
_REACH = 80
"""Characters before a number in which the word for it is looked for."""


def detectors() -> tuple[Detector, ...]:
    return (
        Detector("email", any_of("@"), _emails),
        Detector("card", _DIGITS.search, by_pattern(_CARD, keep=_is_no_card)),
        Detector("snils", _DIGITS.search, _snils),
        Detector("inn", _DIGITS.search, _number(r"(?<![а-яё])инн|(?<![a-z])inn", _is_inn)),
        Detector("ogrnip", _DIGITS.search, _number(r"огрн|ogrn", _is_ogrnip)),
        Detector("passport", _PASSPORT_WORD, _labelled(_PASSPORT, r"паспорт|passport"), is_hint_in_code=True),
        Detector("phone", _DIGITS.search, _phones),
    )


def _emails(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _EMAIL.finditer(text, start, end):
        # `https://user:pass@host`: what stands before @ is no mailbox
        in_address = _URL.search(text, max(start, found.start() - _REACH), found.start())
        if not in_address and not _EXAMPLE_MAIL.search(found[0]):
            yield found.span()


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _is_trivial(digits: str) -> bool:
    """Zeros, one digit repeated, or counted up: nobody's number."""
    return len(set(digits)) <= 2 or digits in "01234567890123456789" or digits in "98765432109876543210"


def _is_no_card(value: str) -> bool:
    from stdnum import luhn

    digits = _digits(value)
    return digits in _TEST_CARDS or _is_trivial(digits) or not luhn.is_valid(digits)


def _is_inn(digits: str) -> bool:
    from stdnum.ru import inn

    return inn.is_valid(digits)


def _is_ogrnip(digits: str) -> bool:
    from stdnum.ru import ogrn

    return len(digits) == 15 and ogrn.is_valid(digits)


def _snils_holds(digits: str) -> bool:
    """Checksum of СНИЛС; numbers up to 001-001-998 have none."""
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True))
    return int(digits[:9]) > 1_001_998 and total % 101 % 100 == int(digits[9:])


def _snils(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Written with hyphens, its checksum is proof enough; eleven bare digits must be called so."""
    for found in _SNILS.finditer(text, start, end):
        digits = _digits(found[0])
        called = "-" in found[0] or re.search(
            r"снилс|snils|страхов", text[max(0, found.start() - _REACH) : found.start()], re.I
        )
        if called and not _is_trivial(digits) and _snils_holds(digits):
            yield found.span()


def _labelled(
    pattern: re.Pattern[str], words: str, holds: Callable[[str], bool] = lambda digits: True
) -> Find:
    called = re.compile(words, re.I)

    def find(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        for found in pattern.finditer(text, start, end):
            digits = _digits(found[0])
            before = text[max(0, found.start() - _REACH) : found.start()]
            if not _is_trivial(digits) and called.search(before) and holds(digits):
                yield found.span()

    return find


def _number(words: str, holds: Callable[[str], bool]) -> Find:
    """A number with a checksum. One in eleven of all ten-digit numbers passes that of ИНН: its name must stand before it."""
    return _labelled(_NUMBER, words, holds)


def _phones(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Numbers in use somewhere (phonenumbers knows) that are written as phones are, or called so."""
    import phonenumbers

    for found in _PHONE.finditer(text, start, end):
        value, digits = found[0], _digits(found[0])
        if not 10 <= len(digits) <= 13 or _is_trivial(digits) or _EXAMPLE_PHONE.search(value):
            continue
        is_written = value.startswith("+") or ("(" in value and ")" in value) or value.count("-") >= 2
        if not is_written and not _PHONE_WORD.search(text[max(0, found.start() - _REACH) : found.start()]):
            continue
        try:
            number = phonenumbers.parse(value, "RU")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            yield found.span()
