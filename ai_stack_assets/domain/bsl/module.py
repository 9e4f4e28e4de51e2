"""One BSL module: text in, `ModuleFacts` out. What is broken becomes a problem, the rest is read.

Three passes over the text, each one regex: what is not code is masked (`lexer`), keywords give methods and
complexity (`outline`, `complexity`), parentheses give calls (`calls`).
"""

from __future__ import annotations

from ai_stack_assets.domain.bsl.calls import CallSite, find_calls
from ai_stack_assets.domain.bsl.doc_comment import parse_doc_comment
from ai_stack_assets.domain.bsl.facts import Assignment, Call, Method, ModuleFacts, Problem, Query, Variable
from ai_stack_assets.domain.bsl.lexer import mask
from ai_stack_assets.domain.bsl.literals import query_texts
from ai_stack_assets.domain.bsl.outline import Outline, Sub, read_outline
from ai_stack_assets.domain.bsl.query import parse_query
from ai_stack_assets.domain.bsl.regions import Regions

_MOST_PROBLEMS = 100
"""Kept of one module: what is not BSL at all would give a problem per word."""
_AWAIT = ("ждать", "await")


class _Position:
    """Line and enclosing method of offsets asked in ascending order."""

    def __init__(self, text: str, subs: list[Sub]) -> None:
        self._text, self._subs = text, subs
        self._line, self._last, self._index = 1, 0, 0

    def line(self, offset: int) -> int:
        """Line, from 1."""
        self._line += self._text.count("\n", self._last, offset)
        self._last = offset
        return self._line

    def method(self, offset: int) -> int:
        """Index of the method, -1 outside of all."""
        subs = self._subs
        while self._index < len(subs) and subs[self._index].end <= offset:
            self._index += 1
        return self._index if self._index < len(subs) and subs[self._index].start <= offset else -1


def parse_module(text: str) -> ModuleFacts:
    """Everything that one module says by itself.

    Args:
        text: Source as `decoding.decode` gives it: no BOM, line ends as `\\n`.
    """
    masked = mask(text)
    outline = read_outline(text, masked.code)
    regions = Regions(text, masked.directives)
    sites, module_variables = find_calls(text, masked.code)
    calls, recursions = _calls(text, sites, outline.subs)
    place = _Position(text, outline.subs)
    assignments = [Assignment(place.method(v.start), v.variable, v.module) for v in module_variables]
    place = _Position(text, outline.subs)
    queries = [
        Query(place.method(start), place.line(start), query, parse_query(query))
        for start, query in query_texts(text, masked.strings)
    ]
    lines = text.count("\n") + (not text.endswith("\n") and bool(text))
    problems = [*regions.problems, *_problems(text, outline, masked.unclosed)]
    problems.sort(key=lambda problem: problem.line)
    if len(problems) > _MOST_PROBLEMS:
        more = f"and {len(problems) - _MOST_PROBLEMS} more problems"
        problems[_MOST_PROBLEMS:] = [Problem("unbalanced_code", more, problems[_MOST_PROBLEMS].line)]
    place = _Position(text, [])
    variables = [Variable(v.name, v.is_export, v.directive, place.line(v.start)) for v in outline.variables]
    methods = _methods(text, outline.subs, regions, recursions)
    return ModuleFacts(lines, methods, calls, assignments, queries, regions.found, variables, problems)


def _calls(text: str, sites: list[CallSite], subs: list[Sub]) -> tuple[list[Call], dict[int, int]]:
    """Calls with line and method, and how often each method calls itself."""
    place = _Position(text, subs)
    calls: list[Call] = []
    recursions: dict[int, int] = {}
    for start, name, receiver in sites:
        method = place.method(start)
        if receiver is None and method >= 0:
            sub = subs[method]
            if len(name) == len(sub.name) and name.lower() == sub.name.lower():
                recursions[method] = recursions.get(method, 0) + 1
            elif sub.is_async and name.lower() in _AWAIT:
                continue
        calls.append(Call(method, receiver, name, place.line(start)))
    return calls, recursions


def _methods(text: str, subs: list[Sub], regions: Regions, recursions: dict[int, int]) -> list[Method]:
    methods: list[Method] = []
    place, floor = _Position(text, []), 0
    for index, sub in enumerate(subs):
        block, more = sub.block, recursions.get(index, 0)
        assert block is not None
        comment = _comment_above(text, sub.top, floor) or _comment_above(text, sub.start, sub.top)
        methods.append(
            Method(
                sub.name,
                "Function" if sub.is_function else "Procedure",
                sub.is_export,
                sub.is_async,
                sub.directive,
                sub.annotations,
                regions.path_at(sub.start),
                sub.signature,
                sub.parameters,
                comment,
                parse_doc_comment(comment),
                place.line(sub.keyword),
                place.line(sub.end),
                sub.start,
                sub.end,
                block.cyclomatic + more,
                block.cognitive + more,
                block.statements,
            )
        )
        floor = sub.end
    return methods


def _comment_above(text: str, offset: int, floor: int) -> str:
    """The lines of comment right above the line of `offset`, without `//`; `floor` is where to stop."""
    lines: list[str] = []
    end = text.rfind("\n", floor, offset)
    while end > floor:
        start = text.rfind("\n", floor, end)
        line = text[max(start + 1, floor) : end].strip()
        # the rest of the line where the previous method ends is not above
        if line[:2] != "//" or (start < 0 and floor):
            break
        lines.append(line[3:] if line[2:3] == " " else line[2:])
        end = start
    lines.reverse()
    return "\n".join(lines).strip("\n")


def _problems(text: str, outline: Outline, unclosed: list[int]) -> list[Problem]:
    found = sorted([*outline.problems, *((offset, "#Удаление is not closed") for offset in unclosed)])
    place = _Position(text, [])
    return [Problem("unbalanced_code", message, place.line(offset)) for offset, message in found]
