"""BSL tokens as 64-bit hashes, straight from UTF-8: what counts when two methods are compared. Compiled, holds no GIL.

- Comments, whitespace and what the editor does not show are no tokens. Words are compared in lower case, in any alphabet.
- A number and a date are one token. A string is a token a line, in its own case, blanks collapsed: a query counts by its lines.
- `<>`, `<=`, `>=` are one token, any other character is a token of its own.

Unlike `bsl.lexer` it reports no positions and repairs nothing: unclosed strings end with their line.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS

WORD, KEYWORD, STRING, OTHER = 1, 2, 3, 4
"""Kinds of tokens: identifier, reserved word, line of a string literal, the rest."""

_PRIME, _SEED = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOWER = np.array([ord(chr(c).lower()[0]) for c in range(0x800)], np.uint64)
"""Lower case of all letters that UTF-8 writes in two bytes: Latin, Greek, Cyrillic, Armenian."""
_IS_WORD = np.array([c >= 128 or chr(c).isalnum() or chr(c) == "_" for c in range(256)])
_KEYWORD_BITS = np.uint64(52)


@njit(cache=True, nogil=True, inline="always")
def mix(h):
    """Finaliser of splitmix64: every bit of the input reaches every bit of the result, and no two collide."""
    h = (h ^ (h >> np.uint64(30))) * _MIX_1
    h = (h ^ (h >> np.uint64(27))) * _MIX_2
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True)
def _blank(data, at, end):
    """Bytes of the whitespace or invisible character at `at`; 0 when it is something else."""
    c = data[at]
    if c <= 32 or c == 127:
        return 1
    if c == 0xC2 and at + 1 < end:
        return 2 if data[at + 1] in (0x85, 0xA0, 0xAD) else 0
    if c >= 0xE2 and at + 2 < end:
        b, d = data[at + 1], data[at + 2]
        if c == 0xE2 and b == 0x80:
            return 3 if d <= 0x8F or d in (0xA8, 0xA9, 0xAF) else 0
        if (c == 0xE2 and b == 0x81 and d in (0x9F, 0xA0)) or (c == 0xE3 and b == 0x80 and d == 0x80):
            return 3
        if c == 0xEF and b == 0xBB and d == 0xBF:
            return 3
    return 0


@njit(cache=True, nogil=True)
def _line_end(data, at, end):
    while at < end and data[at] != 10:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _word(data, at, end):
    """Hash of the word at `at` in lower case, and where it ends."""
    h = _SEED
    while at < end:
        c = data[at]
        if c < 128:
            if not _IS_WORD[c]:
                break
            letter = _LOWER[c]
            at += 1
        elif c < 0xE0 and at + 1 < end:
            if c == 0xC2 and _blank(data, at, end):
                break
            letter = _LOWER[
                (np.uint64(c) & np.uint64(31)) << np.uint64(6) | (np.uint64(data[at + 1]) & np.uint64(63))
            ]
            at += 2
        else:
            if _blank(data, at, end):
                break
            letter = np.uint64(c) + np.uint64(0x10000)
            at += 1
        h = (h ^ letter) * _PRIME
    return mix(h), at


@njit(cache=True, nogil=True)
def _string_line(data, at, end):
    """Hash of one line of a string from behind its `"` or `|`; where it ends; whether the string goes on."""
    h, blank = _SEED + np.uint64(STRING), False
    while at < end:
        c = data[at]
        if c == 10:
            return mix(h), at, True
        if c == 34:
            if at + 1 >= end or data[at + 1] != 34:
                return mix(h), at + 1, False
            at += 1
        size = _blank(data, at, end)
        if size:
            blank = True
            at += size
            continue
        if blank:
            h, blank = (h ^ np.uint64(32)) * _PRIME, False
        h = (h ^ np.uint64(c)) * _PRIME
        at += 1
    return mix(h), at, False


@njit(cache=True, nogil=True)
def _next_bar(data, at, end):
    """Where the next line of a string begins, its `|` passed, comments between the lines skipped; -1 when there is none."""
    while at < end:
        size = _blank(data, at, end)
        if size:
            at += size
        elif data[at] == 47 and at + 1 < end and data[at + 1] == 47:
            at = _line_end(data, at, end)
        else:
            return at + 1 if data[at] == 124 else -1
    return -1


@njit(cache=True, nogil=True)
def _string(data, at, end, n, hashes, kinds):
    """Tokens of the string literal whose text begins at `at`. Returns where it ends and the number of tokens so far."""
    while True:
        hashes[n], at, goes_on = _string_line(data, at, end)
        kinds[n] = STRING
        n += 1
        following = _next_bar(data, at, end) if goes_on else -1
        if following < 0:
            return at, n
        at = following


@njit(cache=True, nogil=True)
def _number(data, at, end):
    h = _SEED
    while at < end and (_IS_WORD[data[at]] or (data[at] == 46 and at + 1 < end and 48 <= data[at + 1] <= 57)):
        h = (h ^ np.uint64(data[at])) * _PRIME
        at += 1
    return mix(h), at


@njit(cache=True, nogil=True)
def _sign(data, at, end):
    """Hash of a date or of a sign, and where it ends."""
    c = data[at]
    h = (_SEED ^ np.uint64(c)) * _PRIME
    at += 1
    if c == 39:
        while at < end and data[at] != 10:
            h = (h ^ np.uint64(data[at])) * _PRIME
            at += 1
            if data[at - 1] == 39:
                break
    elif at < end and ((c == 60 and (data[at] == 62 or data[at] == 61)) or (c == 62 and data[at] == 61)):
        h = (h ^ np.uint64(data[at])) * _PRIME
        at += 1
    return mix(h), at


@njit(cache=True, nogil=True)
def scan(data, at, end, keywords, hashes, kinds):
    """Tokens of `data[at:end]`.

    Args:
        data: UTF-8, uint8.
        keywords: as `keyword_table` gives them.
        hashes, kinds: uint64 and uint8, filled from 0; as long as the text in bytes is always enough.

    Returns:
        The number of tokens.
    """
    n = 0
    while at < end:
        size = _blank(data, at, end)
        if size:
            at += size
            continue
        c = data[at]
        if c == 47 and at + 1 < end and data[at + 1] == 47:
            at = _line_end(data, at, end)
        elif c == 34 or c == 124:
            at, n = _string(data, at + 1, end, n, hashes, kinds)
        else:
            kinds[n] = OTHER
            if 48 <= c <= 57:
                hashes[n], at = _number(data, at, end)
            elif _IS_WORD[c]:
                h, at = _word(data, at, end)
                hashes[n] = h
                kinds[n] = KEYWORD if keywords[h >> _KEYWORD_BITS] == h else WORD
            else:
                hashes[n], at = _sign(data, at, end)
            n += 1
    return n


@cache
def keyword_table() -> np.ndarray:
    """Hashes of the reserved words, each in the slot of its high bits; the few that share a slot count as identifiers."""
    table = np.zeros(4096, np.uint64)
    for word in sorted(ALL_KEYWORDS):
        data = np.frombuffer(word.encode(), np.uint8)
        h = np.uint64(_word(data, 0, len(data))[0])
        table[h >> _KEYWORD_BITS] = h
    return table


def token_hashes(code: str) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and kinds of the tokens of one text; for thousands of them see `shingles`."""
    data = np.frombuffer(code.encode("utf-8", "replace"), np.uint8)
    hashes, kinds = np.empty(len(data) + 1, np.uint64), np.empty(len(data) + 1, np.uint8)
    n = scan(data, 0, len(data), keyword_table(), hashes, kinds)
    return hashes[:n], kinds[:n]
