"""How a text is redacted: where a detector may look, what wins when two find the same, how the text is put together again."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ai_stack_assets.domain.bsl.lexer import NOISE

Find = Callable[[str, int, int], Iterable[tuple[int, int]]]
"""Text and the span of one literal or comment → spans to replace. What stands before the span is context."""

_HIDEABLE = "\"|/'"
PLACEHOLDER = re.compile(r"<[A-Z_]+>")


@dataclass(frozen=True)
class Detector:
    """Finds one kind of thing. Several may share a kind; the order of detectors is that of precedence."""

    kind: str
    hint: Callable[[str], object]
    """Text in lower case → whether looking closer can be worth it. Must never miss, and be quick: every record is asked."""
    find: Find
    is_hint_in_code: bool = False
    """The hint may stand in the code before a literal (`Пароль = "…"`), not only in literals and comments."""


@dataclass(frozen=True)
class Finding:
    """Something that was replaced; what it was is nowhere kept."""

    kind: str
    position: int
    """Offset of the placeholder in the text as it is now."""


def any_of(*parts: str) -> Callable[[str], bool]:
    """A hint: any of these stands in the text."""

    def hint(lower: str) -> bool:
        # a loop: any() over a generator takes twice as long
        for part in parts:  # noqa: SIM110
            if part in lower:
                return True
        return False

    return hint


def by_pattern(pattern: re.Pattern[str], keep: Callable[[str], object] | None = None, group: int = 0) -> Find:
    """What the pattern (its group) matches, but for values that `keep` knows as harmless."""

    def find(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
        for found in pattern.finditer(text, start, end):
            if found[group] and not (keep and keep(found[group])):
                yield found.span(group)

    return find


def woken(whole: str, spans: Sequence[tuple[int, int]], detectors: Sequence[Detector]) -> list[Detector]:
    """Detectors whose hint stands in the text: for most texts none.

    Args:
        whole: the text.
        spans: where it may be changed.
    """
    lower = whole.lower()
    hidden = "\n".join([whole[start:end] for start, end in spans]).lower()
    told: dict[Callable[[str], object], object] = {}
    awake = []
    for detector in detectors:
        # several detectors share a hint
        if detector.hint not in told:
            told[detector.hint] = detector.hint(lower if detector.is_hint_in_code else hidden)
        if told[detector.hint]:
            awake.append(detector)
    return awake


def redact(
    text: str, detectors: Sequence[Detector], spans: Sequence[tuple[int, int]] | None = None
) -> tuple[str, list[Finding]]:
    """The text with what was found replaced by `<KIND>`, and the findings in order of position.

    Args:
        text: BSL code, or prose.
        detectors: in order of precedence: of two that overlap, the one listed first wins.
        spans: literals and comments of code; None for prose.
    """
    is_code = spans is not None
    spans = [(0, len(text))] if spans is None else spans
    awake = woken(text, spans, detectors)
    if not awake:
        return text, []
    # sorted, and never overlapping; what was replaced before has no kind
    taken = [(*match.span(), "") for match in PLACEHOLDER.finditer(text)]
    for detector in awake:
        for span in spans:
            for start, end in detector.find(text, *span):
                if _is_free(start, end, taken) and (not is_code or text.count('"', start, end) % 2 == 0):
                    insort(taken, (start, end, detector.kind))
    return _replaced(text, taken)


def literals_and_comments(code: str) -> list[tuple[int, int]]:
    """Spans of BSL code that may be changed, quotes and slashes included."""
    return [match.span() for match in NOISE.finditer(code) if code[match.start()] in _HIDEABLE]


def _is_free(start: int, end: int, taken: list[tuple[int, int, str]]) -> bool:
    at = bisect_left(taken, (start,))
    return (at == 0 or taken[at - 1][1] <= start) and (at == len(taken) or taken[at][0] >= end)


def _replaced(text: str, taken: list[tuple[int, int, str]]) -> tuple[str, list[Finding]]:
    parts, findings, last, length = [], [], 0, 0
    for start, end, kind in taken:
        if not kind:
            continue
        mark = f"<{kind.upper()}>"
        parts += [text[last:start], mark]
        length += start - last
        findings.append(Finding(kind, length))
        length += len(mark)
        last = end
    return "".join([*parts, text[last:]]), findings
