"""What a search asks for, and what it shows: engine-neutral. Compiling it for an engine is the engine's
module."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from ai_stack_assets.domain.common import identifiers

MAX_WORDS = 32
TIE_BREAKER = 0.1
"""Share that a word's weaker texts add to its best one."""
WHOLE_BOOST = 2.0
PHRASE_BOOST = 1.5
FRAGMENTS = 3
FRAGMENT_LENGTH = 200


@dataclass(frozen=True)
class Plan:
    """Terms to look for. A word with several parts (an identifier) asks for all of them, and prefers the
    whole."""

    words: tuple[tuple[str, ...], ...]
    wholes: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    @property
    def minimum(self) -> int:
        """How many words must be found: both of two, 70% of more."""
        return len(self.words) if len(self.words) <= 2 else math.ceil(0.7 * len(self.words))

    @property
    def sequence(self) -> tuple[str, ...]:
        """All parts in order, for a phrase."""
        return tuple(part for word in self.words for part in word)


@dataclass(frozen=True)
class Hit:
    """One document found. `highlights`: text name -> fragments of the original with the found words
    marked."""

    id: str
    collection: str
    kind: str
    name: str
    owner_id: str
    score: float
    highlights: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """The rest: synonym, signature, region, module kind, line, is_export, directive."""


def plan(text: str, kinds: tuple[str, ...] = ()) -> Plan:
    """`text` is words or identifiers, in any case and form. No operators: punctuation only separates."""
    words, wholes = [], []
    for word in identifiers.words(text)[:MAX_WORDS]:
        terms = identifiers.terms(word)
        if len(terms) > 1:
            wholes.append(terms[0])
        if terms:
            words.append(terms[1:] or terms)
    return Plan(tuple(words), tuple(wholes), kinds)


def hit(stored: dict[str, Any], score: float, wanted: Plan) -> Hit:
    """A hit from stored fields. What was found in, is worked out here on the original text, not by the
    engine."""
    terms = {*wanted.sequence, *wanted.wholes}
    found = {text: highlight(stored[text], terms) for text in ("name", "synonym", "doc", "code")}
    known = ("id", "collection", "kind", "name", "owner_id", "doc", "code", "content_hash")
    return Hit(
        **{name: stored[name] for name in known[:5]},
        score=round(score, 4),
        highlights={text: fragments for text, fragments in found.items() if fragments},
        facts={name: value for name, value in stored.items() if name not in known},
    )


def highlight(text: str, terms: set[str], marks: tuple[str, str] = ("**", "**")) -> list[str]:
    """The lines with the most different terms, in their order, at most three, marked."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        spans, found = _spans(line, terms)
        if spans:
            lines.append((-len(found), number, line, spans))
    best = sorted(sorted(lines)[:FRAGMENTS], key=lambda item: item[1])
    return [_marked(line, spans, marks) for _, _, line, spans in best]


def _spans(line: str, terms: set[str]) -> tuple[list[tuple[int, int]], set[str]]:
    """Where the terms stand: the whole identifier, else those parts of it that were asked for."""
    spans: list[tuple[int, int]] = []
    found: set[str] = set()
    for match in re.finditer(r"\w+", line):
        of_word = identifiers.terms(match.group())
        hits = terms.intersection(of_word)
        if not hits:
            continue
        found |= hits
        if of_word[0] in terms:
            spans.append(match.span())
            continue
        at = match.start()
        for part in identifiers.split(match.group()):
            at = line.index(part, at)
            if identifiers.stem(part) in terms:
                spans.append((at, at + len(part)))
            at += len(part)
    return _joined(spans), found


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _marked(line: str, spans: list[tuple[int, int]], marks: tuple[str, str]) -> str:
    """The line from a little before its first span, cut to a readable length."""
    begin = max(0, spans[0][0] - FRAGMENT_LENGTH // 4) if len(line) > FRAGMENT_LENGTH else 0
    end = min(len(line), begin + FRAGMENT_LENGTH)
    pieces, at = ["…" if begin else ""], begin
    for start, stop in spans:
        if stop > end:
            break
        pieces += [line[at:start], marks[0], line[start:stop], marks[1]]
        at = stop
    pieces += [line[at:end], "…" if end < len(line) else ""]
    return "".join(pieces).strip()
