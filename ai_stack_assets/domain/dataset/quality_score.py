"""`quality_score`: how good an example of BSL a record is, 0 to 1, from six parts that can each be explained.

| part | weight | 1 means | and less |
| --- | ---: | --- | --- |
| documented | 0.25 | the comment above tells what, each parameter, the result (standard 453) | 0.2 exported without one |
| named | 0.20 | names are words: three letters or more, a capital first, no number behind | 0 for `а`, `б1`, `Процедура2` |
| simple | 0.20 | cognitive complexity up to 10 (bsl-language-server warns at 15) | 0 at 50 |
| sized | 0.15 | 3 to 60 lines, up to 7 parameters | 0.3 one statement; 0 at 300 lines or 14 parameters |
| laid_out | 0.10 | indented, one statement a line, lines up to 120 (standard 456) | 0.25 all in one line |
| clean | 0.10 | none of `SMELLS`, nothing unfinished or commented out, no line twice | 0 for several |

The score is the weighted geometric mean, so that no part outweighs a fault in another: `Π max(part, 0.01) ** weight`.
Standard 453 wants a comment on exported methods alone: a short private one gets 0.6 without any, or 0.7 with comments inside.
The parts look at form: whether the code is right, or worth learning from, they cannot tell.
"""

from __future__ import annotations

import math
import re

from ai_stack_assets.domain.dataset.quality_sample import Sample

WEIGHTS = {"documented": 0.25, "named": 0.20, "simple": 0.20, "sized": 0.15, "laid_out": 0.10, "clean": 0.10}
_FLOOR = 0.01

SMELLS: dict[str, tuple[float, str, re.Pattern[str]]] = {
    "an exception is swallowed": (0.4, "конецпопытки", re.compile(r"\bисключение\s+конецпопытки\b")),
    "goto": (0.4, "перейти", re.compile(r"\bперейти\s+~")),
    "code in a string": (0.3, "выполнить(", re.compile(r"(?<![.\w])выполнить\(")),
    "a condition nested in ?()": (0.2, "?(", re.compile(r"\?\([^;?]*\?\(")),
    "a message instead of an exception or a log": (
        0.2,
        "сообщить(",
        re.compile(r"(?<![.\w])сообщить\("),
    ),
}
"""What → what it takes off `clean`, a part of it that is quick to look for, its pattern; both in masked code in lower case."""

_UNFINISHED = ("todo", "fixme", "временно", "отладк", "костыл")
_CODE_ENDS = (";", "Тогда", "Цикл", "Then", "Do")
_GENERIC = re.compile(
    r"(?:процедура|функция|метод|тест|proc\w*|func\w*|method|test|a+|b+|foo|bar|tmp|temp|новая\w*|мой\w*|моя\w*|кнопка|button|команда)_?\d*$",
    re.I,
)
_RETURNS = re.compile(r"возвращаем|возвращает|результат|return", re.I)
_SPLIT = re.compile(r";[ \t]*\w")
_NO_LETTERS = re.compile(r"[\W_\d]+")
_SHORT_LINES, _LONG_METHOD, _LONG_LINE = 60, 300, 120


def quality_score(sample: Sample) -> float:
    """0 to 1, three digits."""
    found = parts(sample)
    return round(math.prod(max(found[name], _FLOOR) ** weight for name, weight in WEIGHTS.items()), 3)


def parts(sample: Sample) -> dict[str, float]:
    """Each part, 0 to 1: what the score is made of."""
    return {
        "documented": _documented(sample),
        "named": _named(sample),
        "simple": _falling(_cognitive(sample), 10, 50),
        "sized": _sized(sample),
        "laid_out": _laid_out(sample),
        "clean": _clean(sample),
    }


def _falling(value: float, good: float, bad: float) -> float:
    """1 up to `good`, 0 from `bad` on, a straight line between."""
    return min(1.0, max(0.0, (bad - value) / (bad - good)))


def _cognitive(sample: Sample) -> int:
    return max((sub.block.cognitive for sub in sample.outline.subs if sub.block), default=0)


def _documented(sample: Sample) -> float:
    method = sample.method
    doc = sample.doc_comment
    if len(_NO_LETTERS.sub("", doc)) < 10:
        has_comments = sample.comment_share > 0.01
        if method and method.is_export:
            return 0.4 if has_comments else 0.2
        return 0.8 * (
            _falling(len(sample.lines), 25, 150) if not has_comments else _falling(len(sample.lines), 60, 300)
        )
    if not method:
        return 1.0
    lower = doc.lower()
    told = [parameter.name.lower() in lower for parameter in method.parameters]
    parameters = sum(told) / len(told) if told else 1.0
    returns = not method.is_function or bool(_RETURNS.search(doc))
    wants = 1.0 if method.is_export else 0.5
    return 1.0 - wants * (0.35 * (1 - parameters) + 0.15 * (not returns))


def _named(sample: Sample) -> float:
    names = sample.names
    if not names:
        return 0.0
    good = sum(len(name) >= 3 and name[0].isupper() and not name[-1].isdigit() for name in names) / len(names)
    method = sample.method
    if not method:
        return good
    own = 0.0 if len(method.name) < 4 or _GENERIC.match(method.name) else 1.0
    return 0.3 * own + 0.7 * good


def _sized(sample: Sample) -> float:
    size = 0.3 if sample.statements <= 1 else _falling(len(sample.lines), _SHORT_LINES, _LONG_METHOD)
    parameters = len(sample.method.parameters) if sample.method else 0
    return size * _falling(parameters, 7, 14)


def _laid_out(sample: Sample) -> float:
    """Half for indentation, a quarter each for one statement a line and for lines that fit."""
    inner = [line for line in sample.lines[1:-1] if line.strip()]
    if not inner:
        return 0.25 if sample.method else 1.0
    # statements of a method stand one step in; a sample without one starts at the margin
    is_indented = sum(line[0] in " \t" for line in inner) / len(inner) if sample.method else 1.0
    long = sum(len(line) > _LONG_LINE for line in sample.lines) / len(sample.lines)
    crowded = len(_SPLIT.findall(sample.masked.code)) / max(1, sample.statements)
    return 0.5 * is_indented + 0.25 * max(0.0, 1 - 2 * crowded) + 0.25 * max(0.0, 1 - 5 * long)


def _clean(sample: Sample) -> float:
    lower = sample.masked.code.lower()
    off = sum(cost for cost, hint, pattern in SMELLS.values() if hint in lower and pattern.search(lower))
    if comments := "\n".join(sample.comments):
        said = comments.lower()
        off += 0.2 * any(word in said for word in _UNFINISHED)
        off += min(0.5, 0.1 * sum(line.rstrip().endswith(_CODE_ENDS) for line in comments.split("\n")))
    lines = [line for line in map(str.strip, sample.lines) if len(line) > 20]
    if len(lines) > 5:
        off += 1 - len(set(lines)) / len(lines)
    return max(0.0, 1 - off)
