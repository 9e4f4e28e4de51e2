"""Clauses of one query statement by recursive descent: tables, aliases and the paths used, in their scopes.

The grammar of clauses is followed; what does not fit raises `Unparsable`.
"""

from __future__ import annotations

from ai_stack_assets.domain.bsl.query_expression import END, Expressions, Unparsable
from ai_stack_assets.domain.bsl.query_scope import Columns, Scope
from ai_stack_assets.domain.bsl.query_tokens import JOINS, NOT_OPERANDS, is_name


class Statement(Expressions):
    """Parses one statement; `tables`, `fields` and `created` are complete only when `parse` returns."""

    def parse(self) -> None:
        if self.codes[0] == "drop":
            self.at = 1
            self._identifier()
        else:
            self._select(None)
        if self.at != len(self.tokens) - 2 or self.open_braces:
            raise Unparsable

    def _select(self, parent: Scope | None) -> Columns:
        """`ВЫБРАТЬ … [ОБЪЕДИНИТЬ …]`. Columns are those of the first member, as in the platform."""
        first: Columns | None = None
        while True:
            self._expect("select")
            columns = self._query(parent, first)
            first = columns if first is None else first
            if self.codes[self.at] != "union":
                return first
            self.at += 1
            if self.codes[self.at] == "all":
                self.at += 1

    def _query(self, parent: Scope | None, outputs: Columns | None) -> Columns:
        scope = Scope(parent)
        while self.codes[self.at] in ("allowed", "distinct", "top"):
            if self.codes[self.at] == "top":
                self.at += 1
            self.at += 1
        self._fields(scope)
        created = ""
        codes = self.codes
        while True:
            code = codes[self.at]
            if code == "into":
                self.at += 1
                created = self._identifier()
            elif code == "from":
                self.at += 1
                self._sources(scope)
            elif code in ("where", "having"):
                self.at += 1
                self._expression(scope)
            elif code in ("group", "order"):
                self.at += 1
                self._expect("by")
                self.outputs = _outputs(scope, outputs)
                self._ordering(scope)
                self.outputs = frozenset()
            elif code == "index":
                self._index()
            elif code == "for":
                self._for_update()
            elif code == "autoorder":
                self.at += 1
            elif code == "totals":
                self.outputs = _outputs(scope, outputs)
                self._totals(scope)
                self.outputs = frozenset()
            elif self.tokens[self.at] == "{":
                self._braces(scope)
            else:
                break
        if not scope.sources and scope.names and parent is None:
            raise Unparsable
        columns = scope.close(self.fields)
        if created:
            self.created.append(created)
            self.temporary[created.lower()] = columns
        return columns

    def _fields(self, scope: Scope) -> None:
        """The select list, into `scope.output` and `scope.names`."""
        while True:
            start = self.at
            if self.tokens[start] == "*":
                self.at += 1
                scope.names.append((start, "*", ""))
                scope.output.append(("*", "*"))
            else:
                self._expression(scope)
                path = self.tokens[start] if self.at == start + 1 and is_name(self.tokens[start]) else ""
                if self.at == start + 3 and self.tokens[start + 2] == "*" and self.tokens[start + 1] == ".":
                    path = self.tokens[start] + ".*"
                alias = self._alias()
                scope.output.append((alias or _column_name(path), path))
                while self.tokens[self.at] == "{":
                    self._braces(scope)
            if self.tokens[self.at] != ",":
                return
            self.at += 1

    def _sources(self, scope: Scope) -> None:
        while True:
            self._source(scope)
            if self.tokens[self.at] != ",":
                return
            self.at += 1

    def _source(self, scope: Scope) -> None:
        """A table, a virtual table or a nested query, maybe in parentheses; then what is joined to it."""
        token = self.tokens[self.at]
        if token == "(":
            self._enter()
            if self.codes[self.at] == "select":
                columns = self._select(None)
                self._leave()
                scope.add("", self._alias(), columns)
            else:
                self._source(scope)
                self._leave()
        elif is_name(token) and (self.codes[self.at] not in NOT_OPERANDS):
            self.at += 1
            inner = None
            if self.tokens[self.at] == "(":
                inner = Scope()
                inner.add(token, "")
                inner.parent = scope
                self._enter()
                self._arguments(inner, virtual=True)
                self._leave()
            alias = self._alias()
            self.tables.append((token, alias))
            scope.add(token, alias, self.temporary.get(token.lower()))
            if inner:
                inner.close(self.fields)
        else:
            raise Unparsable
        self._joins(scope)

    def _joins(self, scope: Scope) -> None:
        """Joins, each alone or several in the braces of data composition, which may close after any part."""
        while True:
            if self._closed_brace():
                continue
            if self.tokens[self.at] == "{" and self.codes[self.at + 1] in JOINS:
                self.open_braces += 1
                self.at += 1
            elif self.tokens[self.at] == "{":
                self._braces(scope)
            elif self.codes[self.at] in JOINS:
                self._join(scope)
            else:
                return

    def _join(self, scope: Scope) -> None:
        while self.codes[self.at] in JOINS or self.codes[self.at] == "outer":
            self.at += 1
            if self.codes[self.at - 1] == "join":
                break
        if self.codes[self.at - 1] != "join":
            raise Unparsable
        self._closed_brace()
        self._deeper()
        self._source(scope)
        self._expect("by")
        self._expression(scope)
        self.depth -= 1

    def _closed_brace(self) -> bool:
        """Steps over the end of braces around joins."""
        if not self.open_braces or self.tokens[self.at] != "}":
            return False
        self.open_braces -= 1
        self.at += 1
        return True

    def _ordering(self, scope: Scope) -> None:
        """`УПОРЯДОЧИТЬ ПО`, `СГРУППИРОВАТЬ ПО`: names of output columns are no fields."""
        if self.codes[self.at] == "grouping":
            self.at += 1
            self._expect("sets")
        while True:
            self._expression(scope)
            while self.codes[self.at] in ("asc", "desc", "hierarchy"):
                self.at += 1
            while self.tokens[self.at] == "{":
                self._braces(scope)
            if self.tokens[self.at] != ",":
                return
            self.at += 1

    def _totals(self, scope: Scope) -> None:
        self.at += 1
        while self.codes[self.at] != "by":
            self._expression(scope)
            self._alias()
            if self.tokens[self.at] == ",":
                self.at += 1
        self.at += 1
        while True:
            if self.codes[self.at] == "overall" and self.tokens[self.at + 1] != "(":
                self.at += 1
            else:
                self._expression(scope)
            while self.codes[self.at] in ("only", "hierarchy"):
                self.at += 1
            if self.codes[self.at] == "periods":
                self.at += 1
                self._expect_token("(", stay=True)
                self._enter()
                self._arguments(Scope(), virtual=True)
                self._leave()
            self._alias()
            while self.tokens[self.at] == "{":
                self._braces(scope)
            if self.tokens[self.at] != ",":
                return
            self.at += 1

    def _index(self) -> None:
        self.at += 1
        self._expect("by")
        if self.codes[self.at] == "sets":
            self.at += 1
        self._expression(Scope())
        while self.tokens[self.at] == "," or self.codes[self.at] == "unique":
            self.at += 1
            if self.codes[self.at] not in ("unique", None) or self.tokens[self.at] == END:
                continue
            self._expression(Scope())

    def _for_update(self) -> None:
        self.at += 1
        self._expect("update")
        if self.codes[self.at] == "of":
            self.at += 1
        while is_name(self.tokens[self.at]) and self.codes[self.at] is None:
            self.at += 1
            if self.tokens[self.at] != ",":
                break
            self.at += 1


def _column_name(path: str) -> str:
    """What the platform calls a column without an alias: `КонтрагентКод` for `Т.Контрагент.Код`."""
    parts = path.split(".")
    return "".join(parts[1:]) or parts[0]


def _outputs(scope: Scope, outputs: Columns | None) -> frozenset[str]:
    own = {name.lower() for name, _ in scope.output if name}
    return frozenset(own if outputs is None else own | outputs.keys())
