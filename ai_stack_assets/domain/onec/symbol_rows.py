"""The symbols that one bucket adds to its configuration, and which other buckets a change of them reaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ai_stack_assets.domain.bsl.symbols import Symbols

MANY_NAMES = 200
"""From so many changed names on, looking for their uses costs more than linking all buckets again."""


NO_SYMBOLS = Symbols()


def changed_names(before: Symbols, now: Symbols) -> set[str]:
    """Own names, lower case, of all that appeared, changed or vanished. A changed module stands for its methods."""
    old, new = before.lines(), now.lines()
    objects, fields, modules, _ = (a ^ b for a, b in zip(old, new, strict=True))
    changed = {line.partition("\t")[0] for line in modules}
    whole = {line for line in old[3] | new[3] if line.partition("\t")[0] in changed}
    methods = _marked(old[3] - new[3]) ^ _marked(new[3] - old[3]) | _marked(whole)
    ids = {symbol.rpartition(".")[2] for symbol in objects | fields}
    return {name.partition("~")[0].lower() for name in ids | {name[1:] for _, name in methods}}


def _marked(lines: Iterable[str]) -> set[tuple[str, str]]:
    """Module and name with its mark."""
    return {(module, name) for module, *names in (line.split("\t") for line in lines) for name in names}


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
