"""Complexity and statement count of one method, from the keywords of its masked code.

The numbers are those of bsl-language-server, whose lenses and SonarQube rules the readers know:

- cyclomatic: 1, and 1 for each `Если`, `ИначеЕсли`, `Иначе`, `Для`, `Пока`, `Исключение`, `?(…)`, `Перейти`,
  call of the method by itself, and boolean operator; an operator inside grouping parentheses counts once more
  per level, as it does there (classic McCabe has neither `Иначе`, `Перейти`, recursion nor that repetition);
- cognitive (SonarSource, version 1.4): 1 + nesting for `Если`, loops, `Исключение` and `?(…)`; 1 for
  `ИначеЕсли`, `Иначе`, `Перейти`, recursion, and each run of equal boolean operators in an expression, where
  `Не (…)` separates runs;
- statements: nodes `statement` of bsl-parser's grammar, an empty `;` included, preprocessor lines not.

Recursion is added by the caller, who knows the calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ai_stack_assets.domain.bsl import lexer
from ai_stack_assets.domain.bsl.lexer import ALL_KEYWORDS, KIND, any_case, keyword, kind_of, words

_SEMICOLON = re.compile(r"\s*+;")
_CONDITION_END = re.compile(r"(?<![\w.])" + any_case("тогда then цикл do") + r"\Z")
_OPENER = {
    lexer.ELSIF: lexer.IF,
    lexer.ELSE: lexer.IF,
    lexer.EXCEPT: lexer.TRY,
    lexer.END_IF: lexer.IF,
    lexer.END_LOOP: lexer.LOOP,
    lexer.END_TRY: lexer.EXCEPT,
}
_NESTS = frozenset((lexer.IF, lexer.LOOP, lexer.EXCEPT))
_BRANCHES = _NESTS | {lexer.ELSIF, lexer.ELSE, lexer.GOTO}
_ENDS = frozenset((lexer.END_IF, lexer.END_LOOP, lexer.END_TRY))
_NAME = {lexer.IF: "Если", lexer.LOOP: "цикл", lexer.TRY: "Попытка", lexer.EXCEPT: "Исключение"}


@dataclass(slots=True)
class Block:
    """Code up to the next header or end of a method."""

    start: int
    end: int = 0
    """Offset of that keyword, or of the end of the code."""
    terminator: re.Match[str] | None = None
    cyclomatic: int = 1
    cognitive: int = 0
    statements: int = 0
    declarations: list[int] = field(default_factory=list)
    """Offsets of `Перем`."""
    marks: list[int] = field(default_factory=list)
    """Offsets of `&`: directives and annotations."""
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Offset and message of what is not balanced."""


def read_block(tokens: Iterator[re.Match[str]], code: str, start: int) -> Block:
    """Consume `lexer.TOKENS` up to the next header or end of a method, which becomes `terminator`."""
    block = Block(start, len(code))
    opened: list[int] = []
    nesting, previous, skip = 0, start, start
    for token in tokens:
        at, after = token.span(1)
        if at < skip:
            continue
        kind = KIND.get(token[1])
        if kind is None:
            kind = kind_of(token[1])
        if kind == lexer.OPERATOR:
            skip = _add_expression(block, code, max(previous, skip), at, nesting)
            continue
        if kind == lexer.DIRECTIVE:
            block.marks.append(at)
            continue
        if kind >= lexer.SUB:
            block.end, block.terminator = at, token
            break
        if kind <= lexer.TRY:
            opened.append(kind)
        elif kind <= lexer.END_TRY:
            block.statements += _is_unterminated(code, previous, at)
            nesting -= _unwind(opened, kind, at, block.problems)
        elif kind == lexer.VAR:
            block.declarations.append(at)
        if kind in _BRANCHES:
            nesting += kind in _NESTS
            block.cyclomatic += 1
            block.cognitive += nesting if kind in _NESTS else 1
        elif kind in _ENDS:
            block.statements += not _SEMICOLON.match(code, after)
        previous = after
    block.statements += _is_unterminated(code, previous, block.end)
    block.statements += code.count(";", start, block.end) - len(block.declarations)
    block.problems += [(block.end, f"{_NAME[kind]} is not closed") for kind in opened]
    return block


def _unwind(opened: list[int], kind: int, at: int, problems: list[tuple[int, str]]) -> int:
    """Continue or close the innermost open block; returns how many levels of nesting end."""
    wanted = _OPENER[kind]
    left = 0
    if not opened or opened[-1] != wanted:
        problems.append((at, f"no open {_NAME[wanted]} here"))
        if wanted not in opened:
            return 0
        while opened[-1] != wanted:
            left += opened.pop() != lexer.TRY
    if kind == lexer.EXCEPT:
        opened[-1] = lexer.EXCEPT
    elif kind > lexer.EXCEPT:
        opened.pop()
        left += 1
    return left


def _is_unterminated(code: str, previous: int, at: int) -> bool:
    """Whether a statement without `;` ends at `at`. `previous` is the end of the keyword before."""
    semicolon = code.rfind(";", previous, at)
    if semicolon >= 0:
        return not (semicolon + 1 == at or code[semicolon + 1 : at].isspace())
    rest = code[previous:at].rstrip()
    return bool(rest) and not _CONDITION_END.search(rest, len(rest) - 5)


_PART = re.compile(
    # a property after a dot and blanks, to be skipped, comes first: it may be named like a keyword
    r"\.\s++\w++|[()\[\],;?]|(?<![\w.])"
    + keyword(
        "и или не and or not ждать await по to тогда then цикл do"
        " если if иначеесли elsif иначе else конецесли endif для for пока while"
        " конеццикла enddo попытка try исключение except конецпопытки endtry перейти goto"
        " процедура функция procedure function конецпроцедуры конецфункции endprocedure endfunction"
    )
)
_BOOLEAN = {"и": "and", "and": "and", "или": "or", "or": "or"}
_NOT = ("не", "not")
_IN_EXPRESSION = (*_NOT, "?")
_NEXT_EXPRESSION = (",", "ждать", "await", "по", "to")
_LOOK_BACK = 80
_GROUP, _NEGATED_GROUP, _ARGUMENTS, _TERNARY = range(4)
_WORD_BACKWARDS = re.compile(r"(\w++)\s*+(\.?)")
_TAKES_ARGUMENTS = words("новый new выполнить execute вызватьисключение raise")


def _add_expression(block: Block, code: str, start: int, operator: int, nesting: int) -> int:
    """Add the expression that holds `operator`, the first one after `start`; returns where it ends."""
    start = max(start, code.rfind(";", start, operator) + 1)
    last, depth, joined, negation = "", 0, 0, -1
    outer: list[tuple[int, str, int, int]] = []
    for part in _PART.finditer(code, start):
        word, at = part[0].lower(), part.start()
        if word[0] == ".":
            continue
        if word in _BOOLEAN:
            joined += 1
            block.cyclomatic += 1 + depth
            block.cognitive += last != _BOOLEAN[word]
            last = _BOOLEAN[word]
        elif word == "(" or word == "[":
            kind = _ARGUMENTS if word == "[" else _parenthesis(code, start, at, negation)
            outer.append((kind, last, depth, joined))
            if kind == _TERNARY:
                nesting += 1
                block.cyclomatic += 1
                block.cognitive += nesting
            depth = depth + 1 if kind <= _NEGATED_GROUP else 0
            last = last if kind == _GROUP else ""
        elif word == ")" or word == "]":
            if outer:
                kind, before, depth, count = outer.pop()
                nesting -= kind == _TERNARY
                last, joined = _after(kind, before, count, last, joined)
        elif word in _NEXT_EXPRESSION:
            last = ""
        elif word not in _IN_EXPRESSION:
            if at > operator:
                return at
            # a condition without operators: `Пока А Цикл Б = В И Г`
            outer.clear()
            depth = 0
        negation = part.end() if word in _NOT else -1
    return len(code)


def _after(kind: int, before: str, count: int, last: str, joined: int) -> tuple[str, int]:
    """Operator that the run continues with behind a closing bracket, and the number joined so far."""
    if kind == _GROUP:
        return last, joined
    if kind == _NEGATED_GROUP:
        return "" if joined > count else before, joined
    return before, count


def _parenthesis(code: str, start: int, at: int, negation: int) -> int:
    """What the parenthesis at `at` opens. `negation` is where a `Не` that may belong to it ends, or -1."""
    before = code[max(start, at - _LOOK_BACK) : at].rstrip()[::-1]
    if before.startswith("?"):
        return _TERNARY
    word = _WORD_BACKWARDS.match(before)
    if word:
        name = word[1][::-1].lower()
        if word[2] or name not in ALL_KEYWORDS or name in _TAKES_ARGUMENTS:
            return _ARGUMENTS
    return _NEGATED_GROUP if negation >= 0 and not code[negation:at].strip() else _GROUP
