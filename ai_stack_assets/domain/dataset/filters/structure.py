"""Rules that look at the code as a program: whether it can be read, whether it does anything, how much there is of it."""

from __future__ import annotations

import re

from ai_stack_assets.domain.dataset.filters.settings import FilterSettings
from ai_stack_assets.domain.dataset.quality_sample import Sample

_CONFLICT = re.compile(r"(?m)^(?:<{7}|>{7}|={7})(?: |$)")
_STUB = re.compile(
    r"\s*(?:(?:возврат|return)(?:\s+(?:неопределено|undefined|ложь|false|истина|true|null|\"*))?"
    r"|(?:вызватьисключение|raise)\s+\"+)\s*;?\s*$",
    re.I,
)
_UNFINISHED = re.compile(r"не реализован|not implemented|заглушка|\bstub\b|todo", re.I)
_LONGEST_TOKEN = 60
_PAIRS = (("(", ")"), ("[", "]"))


def parse_errors(sample: Sample, settings: FilterSettings) -> str | None:
    """Blocks or brackets that do not balance, a method or a literal without an end, marks of an unfinished merge."""
    if sample.outline.problems:
        count, (_, first) = len(sample.outline.problems), min(sample.outline.problems)
        return first if count == 1 else f"{first}, and {count - 1} more"
    if sample.masked.unclosed:
        return "#Удаление is not closed"
    # a literal that a preprocessor line cuts in two is even as a whole
    if "".join(sample.strings).count('"') % 2:
        return "a string literal has no end"
    if "=======" in sample.code and _CONFLICT.search(sample.code):
        return "marks of a merge conflict"
    # branches of the preprocessor may each bring a bracket of their own
    if not sample.masked.directives:
        for left, right in _PAIRS:
            if sample.masked.code.count(left) != sample.masked.code.count(right):
                return f"{left} and {right} do not balance"
    return None


def empty_body(sample: Sample, settings: FilterSettings) -> str | None:
    """No statement, or a stub: only a constant that is returned, or an exception that says that there is nothing yet."""
    if sample.statements == 0:
        return "no statements"
    method = sample.method
    if sample.statements > 1 or not method:
        return None
    body = sample.masked.code[method.body : method.end].rpartition("\n")[0]
    if not _STUB.match(body):
        return None
    if '"' in body and not _UNFINISHED.search(sample.code):
        return None
    return "a stub: " + " ".join(sample.code[method.body : method.body + len(body)].split())[:60]


def too_short(sample: Sample, settings: FilterSettings) -> str | None:
    # counting costs more than knowing that a long text has enough
    if len(sample.code) > _LONGEST_TOKEN * settings.fewest_tokens:
        return None
    count = len(sample.tokens)
    return f"{count} tokens" if count < settings.fewest_tokens else None


def too_long(sample: Sample, settings: FilterSettings) -> str | None:
    if len(sample.code) > settings.most_characters:
        return f"{len(sample.code)} characters"
    return f"{len(sample.lines)} lines" if len(sample.lines) > settings.most_lines else None
