"""Names visible in one `ВЫБРАТЬ`: which table stands behind an alias, and so which field behind a path."""

from __future__ import annotations

Columns = dict[str, str]
"""Column of a nested query or a temporary table, lower case → the field behind it, empty for an expression.
`*` → the table all of whose columns it passes on."""
Target = tuple[str, Columns | None]
"""Table name as written (empty for a nested query), and its columns where the text itself defines them."""


class Scope:
    """Aliases and the paths used; resolved at the end, as the select list comes before its tables."""

    __slots__ = ("aliases", "names", "output", "parent", "sources")

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        """The enclosing query whose aliases a nested one may use; none for one that stands as a table."""
        self.aliases: dict[str, Target] = {}
        self.sources: list[Target] = []
        self.names: list[tuple[int, str, str]] = []
        """Position, path, and the field that it is when no enclosing query knows its alias."""
        self.output: list[tuple[str, str]] = []
        """The select list: name of the column, path behind it or empty."""

    def add(self, table: str, alias: str, columns: Columns | None = None) -> None:
        target = (table, columns)
        self.sources.append(target)
        if alias:
            self.aliases[alias.lower()] = target
        else:
            low = table.lower()
            self.aliases[low] = target
            # What the platform calls it then: `КурсыСрезПоследних` for `РегистрСведений.Курсы.СрезПоследних`
            self.aliases.setdefault("".join(low.split(".")[1:]), target)

    def close(self, fields: list[tuple[int, str]]) -> Columns:
        """Resolve all paths: into `fields`, or up to the enclosing query. Returns the columns it gives."""
        for position, path, fallback in self.names:
            field = self.known(path)
            if field is None:
                fallback = fallback or self.default(path)
                if self.parent is not None and "." in path:
                    self.parent.names.append((position, path, fallback))
                    continue
                field = fallback
            if field:
                fields.append((position, field))
        return {
            name.lower(): (self.known(path) or self.default(path)) if path else ""
            for name, path in self.output
        }

    def known(self, path: str) -> str | None:
        """The field behind a path that starts with an alias or a full table name; None for all else."""
        head, dot, rest = path.partition(".")
        if not dot:
            return None
        head = head.lower()
        for _ in range(3):
            target = self.aliases.get(head)
            if target is not None:
                return _field(target, rest)
            part, dot, rest = rest.partition(".")
            if not dot:
                return None
            head += "." + part.lower()
        return None

    def default(self, path: str) -> str:
        """The only table needs no alias. Among several a bare field is anyone's."""
        return _field(self.sources[0], path) if len(self.sources) == 1 else ""


def _field(target: Target, rest: str) -> str:
    table, columns = target
    if columns is None:
        return f"{table}.{rest}"
    head, _, more = rest.partition(".")
    source = columns.get(head.lower())
    if source is None and "*" in columns:
        source = columns["*"].removesuffix("*") + head
    if source:
        return f"{source}.{more}" if more else source
    return f"{table}.{rest}" if table else ""
