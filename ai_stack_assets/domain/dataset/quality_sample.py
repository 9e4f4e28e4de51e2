"""The text of one record as the rules, the redaction and the score look at it: each view is made once, when asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS, NOISE, Masked, mask
from ai_stack_assets.domain.bsl.outline import Outline, Sub, read_outline

_TOKEN = re.compile(r'"+|\w+|[^\w\s"]')
_WORD = re.compile(r"\w+")
_QUOTED = ('"', "|")


class Sample:
    """One record. `record` needs `code`; what else is missing counts as empty."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        self.code: str = record["code"]
        self.doc_comment: str = record.get("doc_comment") or ""

    @cached_property
    def masked(self) -> Masked:
        return mask(self.code)

    @cached_property
    def outline(self) -> Outline:
        return read_outline(self.code, self.masked.code)

    @cached_property
    def method(self) -> Sub | None:
        """The first method; None for a sample that is only statements."""
        return self.outline.subs[0] if self.outline.subs else None

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Literals and comments, quotes and slashes included: all that may be redacted."""
        return [m.span() for m in NOISE.finditer(self.code) if self.code[m.start()] in "\"|/'"]

    @cached_property
    def strings(self) -> list[str]:
        return [self.code[start:end] for start, end in self.spans if self.code[start] in _QUOTED]

    @cached_property
    def comments(self) -> list[str]:
        return [self.code[start:end] for start, end in self.spans if self.code[start] == "/"]

    @cached_property
    def tokens(self) -> list[str]:
        """Words, literals (as quotes) and signs in order, comments left out."""
        return _TOKEN.findall(self.masked.code)

    @cached_property
    def words(self) -> list[str]:
        """Keywords, identifiers and numbers in order: found in half the time of `tokens`."""
        return _WORD.findall(self.masked.code)

    @cached_property
    def names(self) -> set[str]:
        """Different identifiers, keywords left out."""
        return {name for name in set(self.words) if name[0].isalpha() and name.lower() not in ALL_KEYWORDS}

    @cached_property
    def lines(self) -> list[str]:
        return self.code.split("\n")

    @cached_property
    def statements(self) -> int:
        """Of all methods; of the whole text when it holds none."""
        if not self.outline.subs:
            return self.masked.code.count(";")
        return sum(sub.block.statements for sub in self.outline.subs if sub.block)

    @cached_property
    def comment_share(self) -> float:
        """Of all characters but blanks."""
        if not self.comments:
            return 0.0
        return _without_blanks(" ".join(self.comments)) / _without_blanks(self.code)


def _without_blanks(text: str) -> int:
    """Number of characters."""
    return len("".join(text.split()))
