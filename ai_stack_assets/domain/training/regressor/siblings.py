"""What the headers of a module's other methods say of one: how many they are, how much it is like them, what they are like.

`ПриОткрытии` in a form of three methods is not what it is in one of eighty, and twenty methods that begin with one word and take
the same parameters are wrappers. Headers alone: nobody's code is looked at (`neighbours` looks at it, so it is kept apart), and
all of them may be known before the code is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ai_stack_assets.domain.training.regressor.header import Header

if TYPE_CHECKING:
    import numpy as np

MEANS = 8
COLUMNS = 13 + MEANS


def context(found: Sequence[Header], module: np.ndarray) -> np.ndarray:
    """float64 [headers, COLUMNS]: not a number where a method is the only one of its module among them.

    Args:
        module: int [headers]: the number of each one's module.
    """
    import numpy as np

    outside = np.array([_outside(header) for header in found], float).reshape(len(found), MEANS)
    columns = np.full((len(found), COLUMNS), np.nan)
    order = np.argsort(module, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(module[order])) + 1):
        others = len(members) - 1
        if others > 0:
            columns[members, :-MEANS] = _likeness([found[i] for i in members])
            columns[members, -MEANS:] = (outside[members].sum(0) - outside[members]) / others
    return columns


def _outside(header: Header) -> tuple[float, ...]:
    """What is to be seen of a method without its code."""
    import math

    row, doc = header.row, header.doc
    return (
        row["is_export"],
        row["is_function"],
        len(header.parameters),
        bool(row["doc_comment"]),
        math.log1p(len(row["doc_terms"])),
        len(header.name),
        math.log1p(len(row["doc_comment"])),
        math.log1p(sum(len(item.get("fields", ())) for item in (*doc["parameters"], *doc["returns"]))),
    )


def _likeness(members: Sequence[Header]) -> list[tuple[float, ...]]:
    """Of all methods of one module, in order: how many others begin, end and are called as each one is."""
    import numpy as np

    names = [header.name or [""] for header in members]
    taken = [tuple(p.name.lower() for p in header.parameters) for header in members]
    first, last = Counter(name[0] for name in names), Counter(name[-1] for name in names)
    beginning, parameters = Counter(tuple(name[:2]) for name in names), Counter(taken)
    both = Counter((name[0], some) for name, some in zip(names, taken, strict=True))
    words = Counter(word for name in names for word in set(name))
    size = len(members)
    rows = []
    for name, some in zip(names, taken, strict=True):
        shared = np.log([words[word] for word in set(name)])
        rows.append(
            (
                np.log(size),
                *np.log((first[name[0]], last[name[-1]], beginning[tuple(name[:2])], parameters[some])),
                shared.max(),
                shared.min(),
                shared.mean(),
                (first[name[0]] - 1) / (size - 1),
                (parameters[some] - 1) / (size - 1),
                len(first) / size,
                len(parameters) / size,
                np.log(both[name[0], some]),
            )
        )
    return rows
