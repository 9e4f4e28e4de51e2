"""The features of a method, each once: its name, its type, what it means and how it is had. No tables, no storage.

A feature is a function of one record alone: no statistics of a corpus, no neighbours, no labels, no clock. So a row is right for
the moment of its record whenever it is computed, and training and inference cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.identifiers import tokens, words
from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.training.families import family
from ai_stack_assets.domain.training.features.reading import Method

if TYPE_CHECKING:
    import pyarrow as pa

CODE_VERSION = "2"
"""Of all features: another one computes every row anew."""

RECORD, TEXT, TERMS, NUMBER = "record", "text", "terms", "number"
"""Kinds of features: taken over from the record, a text, a list of stems, a number or flag."""


@dataclass(frozen=True)
class Feature:
    """One column of the features table."""

    name: str
    kind: str
    type: str
    meaning: str
    of: Callable[[Method], Any] | None = None
    """None for what is taken over from the record."""
    is_from_body: bool = True
    """Needs the code below its header: not known of a method that is yet to be written."""


def _module(method: Method) -> str:
    """Where no object is known (a repository that is not a configuration), the file is the module."""
    if method.text("object"):
        return f"{method.text('object')}.{method.text('module_type')}"
    return f"{method.text('repository')}/{method.text('path')}"


def _family(method: Method) -> str:
    """Of its object; else of its file's name, with the repository's, for many of those are called `Module`."""
    if method.text("object"):
        return family(method.text("object"))
    file = method.text("path").rpartition("/")[2].partition(".")[0]
    return f"{method.text('repository')}/{family(file)}".lower()


def _parameters(method: Method) -> list[str]:
    return [parameter.name for parameter in method.method.parameters] if method.method else []


def _is_function(method: Method) -> bool:
    return method.method is not None and method.method.is_function


def _optional(method: Method) -> int:
    return sum(p.default is not None for p in method.method.parameters) if method.method else 0


_TAKEN_OVER = (
    "content_hash", "id", "source", "repository", "configuration", "object", "module_type", "method_name",
    "signature", "is_export", "directive", "doc_comment", "code", "tokens", "changed_at",
)  # fmt: skip


def _taken_over(name: str) -> Feature:
    kind, meaning = records.COLUMNS[name]
    return Feature(name, RECORD, kind, meaning, is_from_body=name in (KEY, "code", "tokens"))


def _text(name: str, meaning: str, of: Callable[[Method], str]) -> Feature:
    return Feature(name, TEXT, "string", meaning, of, is_from_body=False)


def _terms(name: str, meaning: str, of: Callable[[Method], str], is_from_body: bool = False) -> Feature:
    return Feature(name, TERMS, "list<string>", meaning, lambda method: tokens(of(method)), is_from_body)


def _count(name: str, meaning: str, of: Callable[[Method], int], is_from_body: bool = True) -> Feature:
    return Feature(name, NUMBER, "int32", meaning, of, is_from_body)


KEY = "content_hash"
FEATURES: tuple[Feature, ...] = (
    *map(_taken_over, _TAKEN_OVER),
    _text("module", "Object and module type; repository and file where no object is known", _module),
    _text("family", "What the module is about: its object without Клиент, Сервер, Служебный…", _family),
    _terms("name_terms", "Stems of the method's name and of its parts", lambda m: m.text("method_name")),
    _terms("parameter_terms", "Stems of the parameters' names, in order", lambda m: " ".join(_parameters(m))),
    _terms("doc_terms", "Stems of the comment above the method, in order", lambda m: m.doc_comment),
    _terms(
        "code_terms",
        "Stems of the code with its header, without lines of comment",
        lambda m: m.uncommented,
        True,
    ),
    _count("parameter_count", "Parameters", lambda m: len(_parameters(m)), False),
    _count("optional_parameter_count", "Parameters with a default", _optional, False),
    Feature("is_function", NUMBER, "bool", "A function, not a procedure", _is_function, is_from_body=False),
    _count("doc_words", "Words of the comment above the method", lambda m: len(words(m.doc_comment)), False),
    _count("lines", "Lines of code, first and last included", lambda m: len(m.lines)),
    _count("statements", "Statements, as bsl-parser counts them", lambda m: m.statements),
    _count("cyclomatic", "Complexity of bsl-language-server", lambda m: m.complexity("cyclomatic")),
    _count("cognitive", "Cognitive complexity (SonarSource)", lambda m: m.complexity("cognitive")),
    _count("nesting", "Depth of the innermost condition, loop or attempt", lambda m: m.nesting),
    _count("calls", "Calls of procedures, functions and methods", lambda m: len(m.calls)),
    _count("receivers", "Different modules, objects and variables called", lambda m: len(m.receivers)),
    _count("queries", "Query texts", lambda m: m.queries),
    Feature(
        "comment_share", NUMBER, "float32", "Share of comments, blanks left out", lambda m: m.comment_share
    ),
)
"""In the order of the table."""

INPUT_HASH = "input_hash"
INPUTS = (*_TAKEN_OVER, "path")
"""Columns of a record that features depend on; those that a caller does not have count as empty."""


def names(*kinds: str, is_from_body: bool | None = None) -> list[str]:
    """Names of the features of some kinds (of all, when none is named), in order.

    Args:
        is_from_body: False for those alone that are known before the code is written.
    """
    return [
        f.name
        for f in FEATURES
        if (not kinds or f.kind in kinds) and (is_from_body is None or f.is_from_body == is_from_body)
    ]


@cache
def schema() -> pa.Schema:
    """`pyarrow.Schema` of the features table, meanings as field metadata. The last column, `input_hash`, tells whether a row
    has to be computed again: it covers the features' version and all that they are computed from."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int32": pa.int32(),
        "bool": pa.bool_(),
        "float32": pa.float32(),
        "list<string>": pa.list_(pa.string()),
        "timestamp[us, tz=UTC]": pa.timestamp("us", "UTC"),
    }
    columns = [
        *((f.name, f.type, f.meaning) for f in FEATURES),
        (INPUT_HASH, "string", "Of what the row was computed from"),
    ]
    return pa.schema(
        pa.field(name, types[kind], nullable=name == "changed_at", metadata={"description": meaning})
        for name, kind, meaning in columns
    )
