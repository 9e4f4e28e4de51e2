"""Words of code and of Russian text: where an identifier splits, and what its parts are stemmed to.

Search and vectors read text through this module alone, so a query and a document agree on what a word is.
No index and no weights here.
"""

from __future__ import annotations

import re

MAX_WORD = 128
"""Characters. What is longer is data in a string literal (Base64, hex), not a word."""
_CACHED_WORDS = 300_000

_UPPER = "".join(re.escape(chr(c)) for c in range(0x41, 0x530) if chr(c).isupper())
_LOWER = rf"[^\W\d_{_UPPER}]"
_PART = re.compile(rf"[{_UPPER}]+(?=[{_UPPER}]{_LOWER})|[{_UPPER}]?{_LOWER}+|[{_UPPER}]+|\d+")
"""`ИННКонтрагента` is ИНН, Контрагента; `HTTPСоединение2` is HTTP, Соединение, 2."""
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Words and identifiers of a text, as written, in order."""
    return _WORD.findall(text)


def split(identifier: str) -> list[str]:
    """Parts of one identifier, as written: split at case, at digits and at underscores."""
    return _PART.findall(identifier)


def stem(word: str) -> str:
    """Lower case, `ё` as `е`, stemmed as Russian when it starts in Cyrillic, else as English (Snowball)."""
    word = word.lower().replace("ё", "е")
    return _stemmers()[word[:1] >= "\u0400"].stemWord(word)


def terms(word: str) -> tuple[str, ...]:
    """What a word is found by: the stem of the whole, then of each part when there are several.

    The whole is stemmed too, so that an identifier typed without capitals is the same term:
    `ОбщегоНазначения` gives `общегоназначен`, `общ`, `назначен`.
    """
    return _terms[word]


def tokens(text: str) -> list[str]:
    """Terms of all words of a text, in order."""
    return [term for word in _WORD.findall(text) for term in _terms[word]]


def tokenised(text: str) -> str:
    """The same as one string, for engines that split at blanks. About 20 M characters of code a second."""
    return " ".join(filter(None, map(_joined.__getitem__, _WORD.findall(text))))


class _Terms(dict[str, tuple[str, ...]]):
    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(word) > MAX_WORD:
            return ()
        if len(self) >= _CACHED_WORDS:
            self.clear()
        parts = split(word)
        whole = stem(word.strip("_"))
        found = (whole, *map(stem, parts)) if len(parts) > 1 else (stem(parts[0]),) if parts else (whole,)
        self[word] = found = tuple(filter(None, found))
        return found


class _Joined(dict[str, str]):
    def __missing__(self, word: str) -> str:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[word] = text = " ".join(_terms[word])
        return text


_terms, _joined = _Terms(), _Joined()
_stemmer_pair: tuple = ()


def _stemmers() -> tuple:
    """English, Russian. No caches of their own: those run Python code that another thread could enter."""
    global _stemmer_pair
    if not _stemmer_pair:
        import Stemmer  # ty: ignore[import-not-found]  (a C extension without stubs)

        _stemmer_pair = (Stemmer.Stemmer("english", 0), Stemmer.Stemmer("russian", 0))
    return _stemmer_pair
