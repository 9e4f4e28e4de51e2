"""Licences: an SPDX identifier from a licence file's text, the licence of each folder, and which may be published. No network."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import TypeVar

UNKNOWN = "NOASSERTION"

PERMISSIVE = (
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC0-1.0", "ISC", "MIT"),
    *("MIT-0", "NCSA", "PostgreSQL", "UPL-1.0", "Unlicense", "WTFPL", "Zlib"),
)
"""Licences that let code be passed on in a dataset when its origin is named, as every record does."""

FILE_NAME = re.compile(
    r"(?:(?:un)?licen[cs]e|copying|лицензия|cc0)(?:[_-][\w.-]+)?(?:\.(?:md|txt|rst|html?|lesser))?$", re.I
)
"""Names of the files that state a licence."""

_DECLARED = re.compile(
    r"SPDX-License-Identifier:\s*([(]*[\w.+-]+[)]*(?:[ ]+(?:AND|OR|WITH)[ ]+[(]*[\w.+-]+[)]*)*)"
)
_INNERMOST = re.compile(r"\(([^()]*)\)")
_YES, _NO = "\x01", "\x02"
"""What a part in parentheses comes to: names that no licence can have."""
_SHORT = (
    (re.compile(r"creativecommons\.org/publicdomain/zero/1\.0", re.I), "CC0-1.0"),
    (re.compile(r"creativecommons\.org/licenses/by/4\.0", re.I), "CC-BY-4.0"),
    (re.compile(r"creativecommons\.org/licenses/by-sa/4\.0", re.I), "CC-BY-SA-4.0"),
    (re.compile(r"apache\.org/licenses/LICENSE-2\.0", re.I), "Apache-2.0"),
    (re.compile(r"mozilla\.org/(?:en-US/)?MPL/2\.0", re.I), "MPL-2.0"),
)
"""A few lines that name a licence by its address."""
_SHORT_WORDS = 120
_OWN_1C = re.compile(
    r"(?:фирм\w+|ооо)\s*[«\"“]?\s*1[сc]\b|лицензионн\w+\s+соглашени\w+.{0,200}\b1[сc]\b", re.I | re.S
)
_RESTRICTION = re.compile(r"commons\s+clause|non-?commercial|некоммерческ", re.I)
_WORD = re.compile(r"\w+")
_GRAM = 4
_LEAST_FOUND, _LEAST_ALIKE = 0.9, 0.8
"""Share of the licence's word 4-grams that the text has, and Jaccard of both. On 35 licences and seven repositories the right one
has ≥ 0.93 and ≥ 0.86, and is nearer than any other. A text with its own additions is nobody's licence."""

T = TypeVar("T")


def recognise(text: str) -> str:
    """SPDX identifier of a licence text, `LicenseRef-1C` for 1C's own, `NOASSERTION` when it is none that is known for sure.

    Texts: choosealicense.com, as the package `identify` carries them. It compares by edit distance, which misses the same
    licence in Markdown; shares of word 4-grams do not.
    """
    if declared := _DECLARED.search(text):
        return declared[1]
    grams = _grams(text)
    found, alike, name = max(
        (len(grams & known) / len(known), len(grams & known) / len(grams | known), name)
        for name, known in _known()
    )
    if found >= _LEAST_FOUND and alike >= _LEAST_ALIKE:
        is_restricted = _RESTRICTION.search(text) and not _RESTRICTION.search(_texts()[name])
        return UNKNOWN if is_restricted else name
    if len(grams) <= _SHORT_WORDS and not _RESTRICTION.search(text):
        names = {name for pattern, name in _SHORT if pattern.search(text)}
        if len(names) == 1:
            return names.pop()
    return "LicenseRef-1C" if _OWN_1C.search(text) else UNKNOWN


def is_allowed(licence: str, allowed: Collection[str]) -> bool:
    """True when all parts of an `A AND B`, or any of an `A OR B`, are in the allow-list; AND binds tighter."""
    names = {_YES, *(name.casefold() for name in allowed)}

    def holds(expression: str) -> bool:
        options = (option.split(" AND ") for option in expression.split(" OR "))
        return any(all(part.strip().casefold() in names for part in option) for option in options)

    while inner := _INNERMOST.search(licence):
        licence = licence[: inner.start()] + (_YES if holds(inner[1]) else _NO) + licence[inner.end() :]
    return not {"(", ")"} & set(licence) and holds(licence)


def by_folder(texts: Mapping[str, str]) -> dict[str, str]:
    """Folder → licence from path → text of the licence files. Several in one folder all hold: `A AND (B OR C)`."""
    found: dict[str, set[str]] = {}
    for path, text in texts.items():
        found.setdefault(path.rpartition("/")[0], set()).add(recognise(text))
    return {folder: _all(names) for folder, names in found.items()}


def nearest(path: str, by_folder: Mapping[str, T], default: T) -> T:
    """What holds for a file: the value of its folder or of the closest one above."""
    folder = path.rpartition("/")[0]
    while True:
        if folder in by_folder:
            return by_folder[folder]
        if not folder:
            return default
        folder = folder.rpartition("/")[0]


def _all(names: Collection[str]) -> str:
    if len(names) == 1:
        return next(iter(names))
    return " AND ".join(f"({name})" if " OR " in name else name for name in sorted(names))


@cache
def _texts() -> dict[str, str]:
    from identify.vendor.licenses import LICENSES

    return dict(LICENSES)


@cache
def _known() -> list[tuple[str, frozenset[tuple[str, ...]]]]:
    return [(name, _grams(text)) for name, text in _texts().items()]


def _grams(text: str) -> frozenset[tuple[str, ...]]:
    words = [word.lower() for word in _WORD.findall(text)]
    return frozenset(zip(*(words[i:] for i in range(_GRAM)), strict=False))
