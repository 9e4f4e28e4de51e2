"""Methods and variables of masked code: headers, directives, parameters, ends. No calls, no texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ai_stack_assets.domain.bsl import lexer
from ai_stack_assets.domain.bsl.complexity import Block, read_block
from ai_stack_assets.domain.bsl.facts import Annotation, Parameter
from ai_stack_assets.domain.bsl.lexer import KIND, keyword

_HEADER = re.compile(
    r"\s++(\w++)\s*+(?:\(((?:[^();]|\([^();]*+\))*)\)" + rf"(?:\s*+({keyword('экспорт export')}))?)?"
)
_MARK = re.compile(r"&\s*+(\w++)(?:\s*+\(([^()]*+)\))?\s*+")
_DECLARATION = re.compile(r"\s*+(\w++)(?:\s++({}))?\s*+(,?)".format(keyword("экспорт export")))
_IN_PARAMETERS = re.compile(r"&\s*+\w++(?:\s*+\([^()]*+\))?")
_LOOK_BACK = 200
"""Characters before a header that are searched for `Асинх`."""
_ASYNC = ("асинх", "async")
_FUNCTION = ("функция", "function")

_DIRECTIVES = {
    "наклиенте": "AtClient",
    "atclient": "AtClient",
    "насервере": "AtServer",
    "atserver": "AtServer",
    "насерверебезконтекста": "AtServerNoContext",
    "atservernocontext": "AtServerNoContext",
    "наклиентенасервере": "AtClientAtServer",
    "atclientatserver": "AtClientAtServer",
    "наклиентенасерверебезконтекста": "AtClientAtServerNoContext",
    "atclientatservernocontext": "AtClientAtServerNoContext",
}
_ANNOTATIONS = {
    "перед": "Before",
    "before": "Before",
    "после": "After",
    "after": "After",
    "вместо": "Around",
    "around": "Around",
    "изменениеиконтроль": "ChangeAndValidate",
    "changeandvalidate": "ChangeAndValidate",
}


@dataclass(slots=True)
class Sub:
    """A method as far as its code goes; offsets into the text."""

    name: str
    is_function: bool
    is_export: bool
    is_async: bool
    directive: str | None
    annotations: list[Annotation]
    parameters: list[Parameter]
    signature: str
    top: int
    """Offset of the first directive or annotation, or of the header: the doc comment stands above it."""
    keyword: int
    """Offset of `Процедура` or `Функция`."""
    start: int
    body: int
    """Offset behind the header."""
    end: int = 0
    block: Block | None = None


@dataclass(slots=True)
class Declaration:
    name: str
    is_export: bool
    directive: str | None
    start: int


@dataclass(slots=True)
class Outline:
    subs: list[Sub] = field(default_factory=list)
    variables: list[Declaration] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_outline(text: str, code: str) -> Outline:
    """All methods and module variables. A method without an end goes up to the next header."""
    outline = Outline()
    tokens = lexer.TOKENS.finditer(code)
    sub: Sub | None = None
    start = 0
    while True:
        block = read_block(tokens, code, start)
        outline.problems += block.problems
        token = block.terminator
        is_end = token is not None and KIND[token[1]] == lexer.END_SUB
        if token is not None:
            start = token.end(1)
        header = _read_header(text, code, token, block, outline) if token is not None and not is_end else None
        if sub:
            _finish(sub, block, code, header.top if header else block.end, token if is_end else None, outline)
        else:
            _read_variables(code, block, outline)
            if is_end:
                outline.problems.append((block.end, f"{token[1]} without a header"))
        if token is None:
            return outline
        sub = header
        if header:
            outline.subs.append(header)
            start = header.body


def _finish(
    sub: Sub, block: Block, code: str, limit: int, end: re.Match[str] | None, outline: Outline
) -> None:
    """Set where the method ends: at its closing keyword, or before `limit` when it has none."""
    sub.block = block
    if end is None:
        sub.end = sub.start + len(code[sub.start : limit].rstrip())
        outline.problems.append((sub.keyword, f"{sub.name} has no end"))
        return
    sub.end = end.end(1)
    if end[1].lower().endswith(("функции", "function")) != sub.is_function:
        outline.problems.append((block.end, f"{sub.name} is closed by {end[1]}"))


def _read_header(text: str, code: str, token: re.Match[str], block: Block, outline: Outline) -> Sub | None:
    at, after = token.span(1)
    header = _HEADER.match(code, after)
    if not header:
        outline.problems.append((at, f"{token[1]} without a name"))
        return None
    name = header[1]
    if header[2] is None:
        outline.problems.append((at, f"the parameters of {name} cannot be read"))
    parameters, shown = _parameters(text, code, *header.span(2)) if header[2] else ([], "")
    start = at
    before = code[max(block.start, at - _LOOK_BACK) : at].rstrip()
    is_async = before[-5:].lower().endswith(_ASYNC)
    if is_async:
        start = code.rindex(before[-5:], 0, at)
    top, directive, annotations = _marks(text, code, block.marks, start)
    is_function = token[1].lower() in _FUNCTION
    is_export, signature = header[3] is not None, f"{name}({shown})"
    return Sub(
        name,
        is_function,
        is_export,
        is_async,
        directive,
        annotations,
        parameters,
        signature,
        top,
        at,
        start,
        header.end(),
    )


def _marks(text: str, code: str, marks: list[int], end: int) -> tuple[int, str | None, list[Annotation]]:
    """Directives and annotations right before `end`: where they begin, the directive, the others in order."""
    directive, annotations = None, []
    for start in reversed(marks):
        mark = _MARK.match(code, start)
        if start > end:
            continue
        if not mark or mark.end() != end:
            break
        end = start
        name = mark[1].lower()
        if name in _DIRECTIVES:
            directive = _DIRECTIVES[name]
        else:
            target = text[slice(*mark.span(2))].strip().strip('"') if mark[2] else ""
            annotations.insert(0, Annotation(_ANNOTATIONS.get(name, mark[1]), target))
    return end, directive, annotations


def _parameters(text: str, code: str, start: int, end: int) -> tuple[list[Parameter], str]:
    """Parameters between the parentheses, and the same as one line."""
    parameters, shown = [], []
    span = code[start:end]
    if "&" in span:
        span = _IN_PARAMETERS.sub(lambda mark: " " * len(mark[0]), span)
    for chunk in span.split(","):
        left, equals, right = chunk.partition("=")
        words = left.split()
        default = None
        if equals:
            at = start + len(left) + 1 + len(right) - len(right.lstrip())
            default = text[at : at + len(right.strip())]
        start += len(chunk) + 1
        if words:
            parameters.append(Parameter(words[-1], len(words) > 1, default))
            shown.append(" ".join(words) + (f" = {' '.join(default.split())}" if default else ""))
    return parameters, ", ".join(shown)


def _read_variables(code: str, block: Block, outline: Outline) -> None:
    for start in block.declarations:
        _, directive, _ = _marks(code, code, block.marks, start)
        position = start + 1
        while code[position].isalpha():
            position += 1
        more = True
        while more:
            found = _DECLARATION.match(code, position)
            if not found:
                break
            outline.variables.append(Declaration(found[1], found[2] is not None, directive, found.start(1)))
            position, more = found.end(), found[3]
