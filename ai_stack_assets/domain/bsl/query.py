"""Query-language texts: the tables, fields and parameters they read. Names as written; no configuration here.

A package is parsed statement by statement. A statement that does not parse (a piece joined to others at run
time) is scanned flat for the tables and fields that can be seen, and makes the whole text a fragment.
"""

from __future__ import annotations

from ai_stack_assets.domain.bsl.facts import QueryFacts, QueryTable
from ai_stack_assets.domain.bsl.query_expression import Unparsable
from ai_stack_assets.domain.bsl.query_scope import Columns, Scope
from ai_stack_assets.domain.bsl.query_statement import Statement
from ai_stack_assets.domain.bsl.query_tokens import UNARY_NAMES, Token, is_name, tokens

MAX_LENGTH = 300_000
"""Characters. The longest query of a large configuration has 40,000; what stands beyond the limit is not
looked at, so a literal of 5 MB costs 0.3 s at most."""


def parse_query(text: str) -> QueryFacts:
    """What the text reads and creates. Never raises; time is linear in the length, and bounded.

    Args:
        text: Quotes undoubled, `|` removed.
    """
    found = tokens(text[:MAX_LENGTH])
    temporary: dict[str, Columns] = {}
    statements = [Statement(part, temporary) for part in _split(found)]
    is_fragment = not statements or len(text) > MAX_LENGTH
    for statement in statements:
        try:
            statement.parse()
        except (Unparsable, IndexError):  # the latter: ran past the end of the text
            is_fragment = True
            _scan(statement)
    return QueryFacts(
        is_fragment,
        [QueryTable(*table) for table in dict.fromkeys(t for s in statements for t in s.tables)],
        list(dict.fromkeys(field for s in statements for _, field in sorted(s.fields))),
        _parameters(found),
        list(dict.fromkeys(name for s in statements for name in s.created)),
    )


def _split(found: list[Token]) -> list[list[Token]]:
    """Statements of the package; empty ones left out."""
    parts: list[list[Token]] = [[]]
    for token in found:
        if token == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _parameters(found: list[Token]) -> list[str]:
    names: dict[str, str] = {}
    for token in found:
        if token[0] == "&" and len(token) > 1:
            name = token[1:].partition(".")[0]
            names.setdefault(name.lower(), name)
    return list(names.values())


def _scan(statement: Statement) -> None:
    """What a broken statement shows: what follows `ИЗ` and `СОЕДИНЕНИЕ`, and paths through their aliases."""
    found, codes = statement.tokens, statement.codes
    statement.tables, statement.fields, statement.created = [], [], []
    scope = Scope()
    before = None
    at, end = 0, len(found) - 2
    while at < end:
        token, code = found[at], codes[at]
        at += 1
        if is_name(token) and code is None:
            if before in ("from", "join"):
                alias_at = at + (codes[at] == "as")
                alias = found[alias_at] if codes[alias_at] is None and is_name(found[alias_at]) else ""
                statement.tables.append((token, alias))
                scope.add(token, alias, statement.temporary.get(token.lower()))
            elif before == "into":
                statement.created.append(token)
            elif found[at] == "(" and token.lower() in UNARY_NAMES:
                at += 2
            elif before not in ("as", "refs") and "." in token and token[0] != "&":
                scope.names.append((at, token, ""))
        before = code
    scope.sources = []  # a path without a known alias may belong to a table that is not in this piece
    scope.close(statement.fields)
