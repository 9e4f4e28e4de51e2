"""One method as the features look at it: each view of its code is made once, when asked for. No feature is decided here."""

from __future__ import annotations

import re
from functools import cached_property

from ai_stack_assets.domain.bsl import lexer
from ai_stack_assets.domain.bsl.calls import CallSite, find_calls
from ai_stack_assets.domain.bsl.literals import query_texts
from ai_stack_assets.domain.dataset.quality_sample import Sample

_COMMENT_LINE = re.compile(r"(?m)^[ \t]*+//[^\n]*+\n?")
_OPENERS = frozenset((lexer.IF, lexer.LOOP, lexer.TRY))
_ENDS = frozenset((lexer.END_IF, lexer.END_LOOP, lexer.END_TRY))


class Method(Sample):
    """A record of the dataset. What is no method (statements of an article) has the features of its statements."""

    def text(self, column: str) -> str:
        return self.record.get(column) or ""

    @cached_property
    def uncommented(self) -> str:
        """Full-line comments taken out: they repeat the doc comment, or are code that is no more."""
        return _COMMENT_LINE.sub("", self.code)

    @cached_property
    def comments(self) -> list[str]:
        """Most methods have none: looking for the two slashes is cheaper than reading the code once more."""
        return super().comments if "//" in self.code else []

    @cached_property
    def calls(self) -> list[CallSite]:
        return find_calls(self.code, self.masked.code)[0]

    @cached_property
    def receivers(self) -> set[str]:
        return {receiver for _, _, receiver in self.calls if receiver}

    @cached_property
    def recursions(self) -> int:
        """Calls of itself: they count in both complexities, as in bsl-language-server."""
        name = self.method.name.lower() if self.method else ""
        return sum(receiver is None and called.lower() == name for _, called, receiver in self.calls)

    @cached_property
    def queries(self) -> int:
        return sum(1 for _ in query_texts(self.code, self.masked.strings))

    @cached_property
    def nesting(self) -> int:
        """Depth of the innermost `Если`, loop or `Попытка`; what is never closed counts as open."""
        depth = deepest = 0
        for word in lexer.TOKENS.findall(self.masked.code):
            kind = lexer.KIND.get(word.lower())
            if kind in _OPENERS:
                depth += 1
                deepest = max(deepest, depth)
            elif kind in _ENDS:
                depth = max(0, depth - 1)
        return deepest

    def complexity(self, measure: str) -> int:
        """`cyclomatic` or `cognitive` of the first method; as of straight code when there is none."""
        if self.method is None or self.method.block is None:
            return int(measure == "cyclomatic")
        return getattr(self.method.block, measure) + self.recursions
