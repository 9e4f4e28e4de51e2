"""`query`: one question to a store from the command line, answered by the code behind the query assets."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import dagster as dg

from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores import questions

QUESTIONS: dict[str, tuple[tuple[str, ...], Callable[..., questions.Rows], str]] = {
    "tables": (
        ("postgres",),
        questions.table_sizes,
        "sizes of the tables; with a text, the objects that it finds",
    ),
    "callers": (
        ("graph",),
        questions.most_called_methods,
        "callers of a method; without one, the most called methods",
    ),
    "similar": (("vectors",), questions.similar_methods, "methods near in meaning to a text"),
    "search": (("search",), questions.objects_by_text, "methods and objects by text"),
    "find": (
        ("vectors", "search"),
        questions.methods_by_meaning_and_words,
        "methods that answer a question, by meaning and by words together",
    ),
}
"""By name: resources, what answers, help."""


def query(options: argparse.Namespace, terminal: Terminal) -> int:
    """Prints the answer, one row a line, under the names of its columns. Returns the exit code."""
    names, ask, _ = QUESTIONS[options.question]
    with dg.build_resources(resources().resources or {}) as opened:
        lake = opened.lake.open()
        if lake.current(options.configuration) is None:
            known = ", ".join(lake.configurations())
            there = f"there are: {known}" if known else "there is none yet: make run"
            raise PermanentError(f"no configuration {options.configuration!r} in the lake; {there}")
        version = lake.require(options.configuration)
        stores = [getattr(opened, name).open() for name in names]
        rows = ask(*stores, version, options.text or "")
    for line in _lines(rows):
        terminal.say(line)
    return 0


def _lines(rows: questions.Rows) -> list[str]:
    """In columns under their names."""
    if not rows:
        return ["Nothing found."]
    cells = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]


def _shown(value: Any) -> str:
    return "·" if value in (None, "") else str(value)
