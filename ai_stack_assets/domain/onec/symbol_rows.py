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
    modules = {module[0] for module in set(before.modules) ^ set(now.modules)}
    methods = set(before.methods) ^ set(now.methods)
    methods |= {method for rows in (before, now) for method in rows.methods if method[1] in modules}
    ids = (
        {*before.objects} ^ {*now.objects}
        | {*before.fields} ^ {*now.fields}
        | {method[0] for method in methods}
    )
    return {symbol.rpartition(".")[2].partition("~")[0].lower() for symbol in ids}


def names_any(names: set[str], part: Callable[[str], Path | None]) -> bool:
    """Whether any row of a bucket's linked tables mentions one of the names."""
    if not names or len(names) > MANY_NAMES:
        return bool(names)
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    one_of = f"(?:{'|'.join(map(re.escape, sorted(names)))})"
    # what decides how a row is linked → where a changed name can stand in it
    patterns = {
        ("calls", "name"): f"^{one_of}$",
        ("calls", "receiver"): rf"(?:^|\.){one_of}(?:\.|$)",
        ("references", "target_id"): rf"(?:^|\.){one_of}(?:~\d+)?(?:\.|$)",
        ("queries", "tables"): rf"[.\"]{one_of}[.\"]",
    }
    for (table, column), pattern in patterns.items():
        if path := part(table):
            values = pc.utf8_lower(pq.read_table(path, columns=[column])[column])
            if pc.any(pc.match_substring_regex(values, pattern)).as_py():
                return True
    return False
