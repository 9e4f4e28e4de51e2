"""Regions of a module from its preprocessor lines, and the balance of `#Если`."""

from __future__ import annotations

import re
from bisect import bisect_right

from ai_stack_assets.domain.bsl.facts import Problem, Region
from ai_stack_assets.domain.bsl.lexer import any_case, keyword

_DIRECTIVE = re.compile(
    rf"\#\s*+(?:({any_case('область region')})(?:\s++([^\W\d]\w*+))?|({keyword('конецобласти endregion')})"
    rf"|({keyword('если if')})|({keyword('конецесли endif')}))"
)
_DEEPEST = 50
"""Levels that show in a path: keeps its size bounded when thousands of regions are left open."""


class Regions:
    """Regions in order of their start, and the path at any offset."""

    def __init__(self, text: str, directives: list[tuple[int, str]]) -> None:
        self.found: list[Region] = []
        self.problems: list[Problem] = []
        self._offsets: list[int] = []
        self._paths: list[str] = []
        opened: list[int] = []
        conditions: list[int] = []
        line, last = 1, 0
        for offset, written in directives:
            line += text.count("\n", last, offset)
            last = offset
            match = _DIRECTIVE.match(written)
            if not match:
                continue
            if match[1]:
                self._open(match[2] or "", offset, line, opened)
            elif match[3]:
                self._close(offset, line, opened)
            elif match[4]:
                conditions.append(line)
            elif conditions:
                conditions.pop()
            else:
                self._problem("#КонецЕсли without #Если", line)
        for line in conditions:
            self._problem("#Если is not closed", line)
        for index in opened:
            region = self.found[index]
            self._problem(f"#Область {region.name} is not closed", region.start_line)

    def path_at(self, offset: int) -> str:
        index = bisect_right(self._offsets, offset)
        return self._paths[index - 1] if index else ""

    def _open(self, name: str, offset: int, line: int, opened: list[int]) -> None:
        if opened:
            path = self.found[opened[-1]].path
            path = f"{path}/{name}" if len(opened) < _DEEPEST else path
        else:
            path = name
        opened.append(len(self.found))
        self.found.append(Region(name, path, line, line))
        self._offsets.append(offset)
        self._paths.append(path)

    def _close(self, offset: int, line: int, opened: list[int]) -> None:
        if not opened:
            self._problem("#КонецОбласти without #Область", line)
            return
        index = opened.pop()
        region = self.found[index]
        self.found[index] = Region(region.name, region.path, region.start_line, line)
        self._offsets.append(offset)
        self._paths.append(self.found[opened[-1]].path if opened else "")

    def _problem(self, message: str, line: int) -> None:
        self.problems.append(Problem("unbalanced_code", message, line))
