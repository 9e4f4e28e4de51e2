"""What one BSL module says, wherever the file lies: cacheable by content. Records only, no parsing.

Offsets count characters of the normalised text (BOM removed, line ends as `\\n`); lines count from 1.
"""

from __future__ import annotations

import msgspec


class Parameter(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    is_by_value: bool
    default: str | None


class Annotation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    kind: str
    """`Before`, `After`, `Around`, `ChangeAndValidate`; otherwise the name as written."""
    target: str


class Region(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    path: str
    start_line: int
    end_line: int


class Variable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    is_export: bool
    directive: str | None
    line: int


class QueryTable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    """As written: `Справочник.Валюты`, `РегистрСведений.Курсы.СрезПоследних`, `Документ.Заказ.Товары`."""
    alias: str


class QueryFacts(msgspec.Struct, frozen=True, array_like=True):
    """Parsed query text. Names as written; resolution against the configuration comes later."""

    is_fragment: bool
    tables: list[QueryTable]
    fields: list[str]
    """`<table name>.<field>` where the table is known from its alias, distinct, in order of appearance."""
    parameters: list[str]
    temporary_tables: list[str]


class Query(msgspec.Struct, frozen=True, array_like=True):
    method: int
    """Index into `ModuleFacts.methods`; -1 for code outside methods. The same in `Call`."""
    line: int
    text: str
    facts: QueryFacts


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    method: int
    receiver: str | None
    name: str
    line: int


class Assignment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`Имя = ОбщегоНазначения.ОбщийМодуль("Модуль")`: makes `Имя` a known receiver within the method."""

    method: int
    variable: str
    module: str


class Method(msgspec.Struct, frozen=True, array_like=True):
    name: str
    kind: str
    is_export: bool
    is_async: bool
    directive: str | None
    annotations: list[Annotation]
    region: str
    signature: str
    parameters: list[Parameter]
    doc_comment: str
    doc: str
    """JSON as in `methods.doc`."""
    start_line: int
    end_line: int
    start: int
    end: int
    """`text[start:end]` is the body: from the header keyword to the end of the closing keyword."""
    cyclomatic: int
    cognitive: int
    statements: int


class Problem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part that could not be read; the rest of the module was."""

    reason: str
    message: str
    line: int


class ModuleFacts(msgspec.Struct, frozen=True, array_like=True):
    lines: int
    methods: list[Method]
    calls: list[Call]
    assignments: list[Assignment]
    queries: list[Query]
    regions: list[Region]
    variables: list[Variable]
    problems: list[Problem]
