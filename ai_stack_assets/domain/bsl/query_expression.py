"""Expressions of the query language: values and operators must alternate, which is what tells a whole query
from a piece of one; precedence does not matter here. Clauses are in `query_statement`.
"""

from __future__ import annotations

from ai_stack_assets.domain.bsl.query_scope import Columns, Scope
from ai_stack_assets.domain.bsl.query_tokens import (
    CAST,
    EMPTY_TABLE,
    KEYWORDS,
    NOT_OPERANDS,
    PERIODS,
    UNARY_NAMES,
    Token,
    is_name,
)

MAX_DEPTH = 60
"""Nested parentheses: a query of people has 5; more is garbage, and Python's stack is finite."""

_BINARY = frozenset(("=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/"))
_CONNECTIVES = frozenset(("and", "or", "like", "between", "in", "escape"))
END = ";"


class Unparsable(Exception):
    """The text is no whole statement."""


class Expressions:
    """A position in the tokens of one statement, and what was found up to it."""

    def __init__(self, tokens: list[Token], temporary: dict[str, Columns]) -> None:
        self.tokens = [*tokens, END, END]
        self.codes = [KEYWORDS.get(token.lower()) for token in self.tokens]
        self.at = 0
        self.depth = 0
        self.open_braces = 0
        self.temporary = temporary
        """Temporary tables of the package so far, lower case → columns."""
        self.outputs: frozenset[str] = frozenset()
        """In `УПОРЯДОЧИТЬ`, `ИТОГИ`: columns of the result, lower case; no fields."""
        self.tables: list[tuple[str, str]] = []
        self.fields: list[tuple[int, str]] = []
        self.created: list[str] = []

    def _select(self, parent: Scope | None) -> Columns:
        """A nested query."""
        raise NotImplementedError

    def _fields(self, scope: Scope) -> None:
        """A select list."""
        raise NotImplementedError

    def _expression(self, scope: Scope) -> None:
        """Values and operators in turn."""
        tokens, codes, names = self.tokens, self.codes, scope.names
        while True:
            token, code = tokens[self.at], codes[self.at]
            if token == "-" or token == "+" or code == "not":
                self.at += 1
                continue
            self.at += 1
            if token == "(":
                self.at -= 1
                self._parentheses(scope)
            elif code == "case":
                self._case(scope)
            elif code == "constant" or token[0] in '"0123456789':
                while tokens[self.at][0] == '"' and token[0] == '"':
                    self.at += 1
            elif is_name(token) and code not in NOT_OPERANDS:
                if tokens[self.at] == "(":
                    self._function(scope, token.lower())
                elif token[0] != "&" and token.lower() not in self.outputs:
                    if tokens[self.at] != ".":
                        names.append((self.at - 1, token, ""))
                    else:
                        self._tail(scope, token)
            elif token == "{":
                self.at -= 1
                self._braces(scope)
            else:
                raise Unparsable
            if not self._operator(scope):
                return

    def _operator(self, scope: Scope) -> bool:
        """Steps over what may follow a value. True when one more value must come."""
        tokens, codes = self.tokens, self.codes
        while True:
            token, code = tokens[self.at], codes[self.at]
            if code is None:
                if token in _BINARY:
                    self.at += 1
                    return True
                if token == "{" and codes[self.at + 1] in (None, "and", "or", "not"):
                    self._braces(scope)
                    continue
                return False
            if code == "not" and codes[self.at + 1] in ("in", "like", "between"):
                self.at += 1
                continue
            if code in _CONNECTIVES:
                self.at += 1
                if code == "in" and codes[self.at] == "hierarchy":
                    self.at += 1
                return True
            if code == "is":
                self.at += 2 if codes[self.at + 1] == "not" else 1
                self._expect("constant")
            elif code == "refs" and is_name(tokens[self.at + 1]):
                self.at += 2
            else:
                return False

    def _parentheses(self, scope: Scope) -> None:
        """`(подзапрос)`, `(выражение)` or `(список)`; a dot may follow."""
        self._enter()
        if self.codes[self.at] == "select":
            self._select(scope)
        elif self.tokens[self.at] != ")":
            self._list(scope)
        self._leave()

    def _list(self, scope: Scope) -> None:
        self._expression(scope)
        while self.tokens[self.at] == ",":
            self.at += 1
            self._expression(scope)

    def _function(self, scope: Scope, name: str) -> None:
        self._enter()
        if name in UNARY_NAMES:
            while self.tokens[self.at] not in (")", END):
                self.at += 1
        elif name in CAST:
            self._expression(scope)
            self._expect("as")
            cast_to = self.tokens[self.at]
            self.at += 1
            if self.tokens[self.at] == "(":
                self._parentheses(scope)
            self._leave()
            if self.tokens[self.at] == ".":
                self._tail(scope, cast_to, is_table=True)
            return
        elif self.tokens[self.at] == "*" and self.tokens[self.at + 1] == ")":
            self.at += 1
        elif self.tokens[self.at] != ")":
            if self.codes[self.at] == "distinct":
                self.at += 1
            self._arguments(scope)
        self._leave()
        if self.tokens[self.at] == "." and is_name(self.tokens[self.at + 1]):
            self.at += 2

    def _arguments(self, scope: Scope, virtual: bool = False) -> None:
        """`virtual`: parameters of a virtual table may be empty; a lone name is a mode (`Авто`, `Месяц`)."""
        tokens = self.tokens
        while True:
            token = tokens[self.at]
            if virtual and token in (",", ")"):
                pass
            elif (
                tokens[self.at + 1] in (",", ")") and (virtual or token.lower() in PERIODS) and is_name(token)
            ):
                self.at += 1
            else:
                self._expression(scope)
                if virtual and self.codes[self.at] == "as":
                    self._alias()
            if tokens[self.at] != ",":
                return
            self.at += 1

    def _case(self, scope: Scope) -> None:
        self._deeper()
        if self.codes[self.at] != "when":
            self._expression(scope)
        while self.codes[self.at] == "when":
            self.at += 1
            self._expression(scope)
            self._expect("then")
            self._expression(scope)
        if self.codes[self.at] == "else":
            self.at += 1
            self._expression(scope)
        self._expect("end")
        self.depth -= 1

    def _tail(self, scope: Scope, path: str, is_table: bool = False) -> None:
        """After a path or a cast: `.Поле`, `.*`, `.(Поле, Поле)`."""
        position = self.at
        following = self.tokens[position + 1]
        self.at += 2
        if following == "(":
            self.at -= 1
            self._enter()
            outer, scope.names = scope.names, []
            output, scope.output = scope.output, []
            self._fields(scope)
            inner, scope.names, scope.output = scope.names, outer, output
            if path.lower() not in EMPTY_TABLE:
                outer += [(p, f"{path}.{name}", "") for p, name, _ in inner]
            self._leave()
        elif is_table and is_name(following):
            self.fields.append((position, f"{path}.{following}"))
        elif following == "*":
            scope.names.append((position, path + ".*", ""))
        elif not is_name(following):
            raise Unparsable

    def _braces(self, scope: Scope) -> None:
        """`{…}` of data composition: what it names is used, its grammar is another."""
        depth = 0
        tokens, codes = self.tokens, self.codes
        while True:
            token, code = tokens[self.at], codes[self.at]
            self.at += 1
            if token == "{":
                depth += 1
            elif token == "}":
                depth -= 1
                if not depth:
                    return
            elif token == END:
                raise Unparsable
            elif code == "as":
                self.at += 1
            elif code in ("from", "join") and is_name(tokens[self.at]):
                self._brace_table(scope)
            elif code is None and token[0] != "&" and is_name(token):
                if tokens[self.at] == "(":
                    if token.lower() in UNARY_NAMES:
                        self.at += 3
                else:
                    star = tokens[self.at] == "." and tokens[self.at + 1] == "*"
                    scope.names.append((self.at - 1, token + ".*" if star else token, ""))

    def _brace_table(self, scope: Scope) -> None:
        table = self.tokens[self.at]
        self.at += 1
        alias = self._alias()
        self.tables.append((table, alias))
        scope.add(table, alias, self.temporary.get(table.lower()))

    def _alias(self) -> str:
        code, token = self.codes[self.at], self.tokens[self.at]
        if code == "as":
            self.at += 1
            return self._identifier()
        if code is None and is_name(token) and "." not in token and token[0] != "&":
            self.at += 1
            return token
        return ""

    def _identifier(self) -> str:
        token = self.tokens[self.at]
        if not is_name(token) or "." in token:
            raise Unparsable
        self.at += 1
        return token

    def _expect(self, code: str) -> None:
        if self.codes[self.at] != code:
            raise Unparsable
        self.at += 1

    def _expect_token(self, token: str, stay: bool = False) -> None:
        if self.tokens[self.at] != token:
            raise Unparsable
        self.at += not stay

    def _enter(self) -> None:
        self.at += 1
        self._deeper()

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unparsable

    def _leave(self) -> None:
        self._expect_token(")")
        self.depth -= 1
