"""Rules that look at the text as such: its encoding, its language, its lines, its comments."""

from __future__ import annotations

import re

from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS
from ai_stack_assets.domain.dataset.filters.settings import FilterSettings
from ai_stack_assets.domain.dataset.quality_sample import Sample

_DAMAGE = re.compile(r"[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
# UTF-8 read as cp1251: Р or С before what is no small Russian letter; read as Latin-1: Ð or Ñ; cp1251 read as Latin-1: `Ïðîö`
_MOJIBAKE = re.compile(
    r"[РС][\u0402-\u040f\u0452-\u045f\u0490\u0491ЂѓЃЉЊЌЋЏђљњќћџ°±µ¶·»ѕ‚„…†‡€‰‹‘’“”•–—™›¤¦§©«¬®]"
    r"|[ÐÑ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|[À-ÿ]{4,}"
)
_PLAIN = bytes(
    range(32, 127)
) + "\t\n\r\f\u00a0«»№–—…“”ЁёАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя".encode(
    "cp1251"
)
_FOREIGN = (
    ("HTML or XML", re.compile(r"\s*<(?:!DOCTYPE|\?xml|html|[a-z]+[ >])", re.I)),
    ("JSON", re.compile(r"\s*[\[{]\s*(?:\"|\{|\[)")),
    ("Python", re.compile(r"(?m)^\s*(?:def \w+\(.*\).*:|from [\w.]+ import |import \w+$)")),
    (
        "JavaScript or C",
        re.compile(r"(?m)^\s*(?:#include\s|function\s*\w*\([^)]*\)\s*\{|(?:const|let)\s+\w+\s*=|using \w+;)"),
    ),
    ("a query, not code", re.compile(r"\s*(?:ВЫБРАТЬ|SELECT)\s", re.I)),
)
_WORD = re.compile(r"[^\W\d]\w*")


def encoding_damage(sample: Sample, settings: FilterSettings) -> str | None:
    """Replacement and control characters, and text that was read in a wrong encoding, in the code or its comment."""
    for name, text in (("code", sample.code), ("doc_comment", sample.doc_comment)):
        if _is_plain(text):
            continue
        damaged = _DAMAGE.findall(text)
        if damaged and len(damaged) > settings.most_replaced * len(text):
            return f"{len(damaged)} damaged characters in {name}, the first U+{ord(damaged[0]):04X}"
        if not text.isascii() and len(found := _MOJIBAKE.findall(text)) >= settings.fewest_mojibake:
            return f"{len(found)} signs of a wrong encoding in {name}, such as {found[0]!r}"
    return None


def _is_plain(text: str) -> bool:
    """Nothing but Russian and English: true for nearly all, and found out ten times faster than what the damage is."""
    try:
        return not text.encode("cp1251").translate(None, _PLAIN)
    except UnicodeEncodeError:
        return False


def not_bsl(sample: Sample, settings: FilterSettings) -> str | None:
    """Another language, or prose. A text that holds a method is BSL."""
    if sample.method:
        return None
    for language, pattern in _FOREIGN:
        if (
            pattern.search(sample.code)
            if language in ("Python", "JavaScript or C")
            else pattern.match(sample.code)
        ):
            return f"looks like {language}"
    words = _WORD.findall(sample.masked.code)
    if not words:
        return "no words outside comments and literals"
    known = sum(word.lower() in ALL_KEYWORDS for word in words)
    is_statement = any(sign in sample.masked.code for sign in ("=", ";", "("))
    if known < settings.fewest_known_words * len(words) or not is_statement:
        return f"{known} keywords among {len(words)} words"
    return None


def long_lines(sample: Sample, settings: FilterSettings) -> str | None:
    lengths = [len(line) for line in sample.lines]
    if max(lengths) > settings.longest_line:
        return f"a line of {max(lengths)} characters"
    mean = sum(lengths) / len(lengths)
    return f"lines of {mean:.0f} characters on average" if mean > settings.most_mean_line else None


def mostly_comments(sample: Sample, settings: FilterSettings) -> str | None:
    share = sample.comment_share
    return f"{share:.0%} of the code is comments" if share > settings.most_comments else None
