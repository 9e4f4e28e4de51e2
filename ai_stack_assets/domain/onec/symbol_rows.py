"""The symbols that one bucket adds to its configuration, and which other buckets a change of them reaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ai_stack_assets.domain.bsl.symbols import Symbols

MANY_NAMES = 200
"""From so many changed names on, looking for their uses costs more than linking all buckets again."""


class SymbolRows(NamedTuple):
    """As the arguments of `Symbols`."""

    objects: list[str]
    fields: list[str]
    modules: list[tuple[str, str, str, bool | None]]
    methods: list[tuple[str, str, str, bool]]

    @staticmethod
    def merged(many: Iterable[SymbolRows]) -> Symbols:
        columns = [[item for part in column for item in part] for column in zip(*many, strict=True)]
        return Symbols(*columns)


NO_SYMBOLS = SymbolRows([], [], [], [])


def changed_names(before: SymbolRows, now: SymbolRows) -> set[str]:
    """Own names, lower case, of all that appeared, changed or vanished. A changed module stands for its methods."""
    objects, fields, modules, methods = (set(b) ^ set(n) for b, n in zip(before, now, strict=True))
    changed_modules = {module[0] for module in modules}
    methods |= {m for rows in (before, now) for m in rows.methods if m[1] in changed_modules}
    ids = [*objects, *fields, *(method[0] for method in methods)]
    return {symbol.rpartition(".")[2].partition("~")[0].lower() for symbol in ids}


def names_any(names: set[str], part: Callable[[str], Path | None]) -> bool:
    """Whether any row of a bucket's linked tables mentions one of the names."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not names or len(names) > MANY_NAMES:
        return bool(names)

    def column(table: str, name: str) -> pa.ChunkedArray | None:
        path = part(table)
        return pc.utf8_lower(pq.read_table(path, columns=[name])[name]) if path else None

    values = pa.array(sorted(names))
    if (calls := column("calls", "name")) is not None and pc.any(pc.is_in(calls, values)).as_py():
        return True
    last = rf"(?:^|\.)(?:{'|'.join(map(re.escape, sorted(names)))})(?:~\d+)?$"
    if (targets := column("references", "target_id")) is not None and _matches(targets, last):
        return True
    anywhere = rf"[.\"](?:{'|'.join(map(re.escape, sorted(names)))})[.\"]"
    tables = column("queries", "tables")
    return tables is not None and _matches(tables, anywhere)


def _matches(values, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())
