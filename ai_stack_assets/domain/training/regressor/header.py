"""What is known of a method before its code is written: words and numbers of its header, its comment and its place.

Nothing here may look at the code below the header, nor at a column that was computed from it: predicting the complexity of code
that one has in hand is computing. `COLUMNS` is all that is read, and `features.definitions` says of each what it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.bsl.doc_comment import parse_doc_comment
from ai_stack_assets.domain.bsl.facts import Parameter
from ai_stack_assets.domain.bsl.lexer import mask
from ai_stack_assets.domain.bsl.outline import read_outline
from ai_stack_assets.domain.common.identifiers import split, stem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MODULE = ("repository", "configuration", "module")
COLUMNS = (
    "method_name", "signature", "doc_comment", "doc_terms", "is_export", "directive", "is_function", "object",
    "module_type", *MODULE,
)  # fmt: skip
_NOWHERE = "/"
"""The module of a method of which neither object nor file is known."""
NAME, PARAMETERS, DOC, TYPES, PLACE = BLOCKS = ("name", "parameters", "doc", "types", "place")
"""Lists of words that a header is read as. `place` is where the method is: not part of it, but known before it is written."""
CATEGORIES = ("module_type", "object_kind", "directive")
_ENDS = {"функция": "КонецФункции", "function": "EndFunction", "procedure": "EndProcedure"}


@dataclass(frozen=True)
class Header:
    """One method, without its code."""

    row: Mapping[str, Any]

    @cached_property
    def name(self) -> list[str]:
        return [stem(part) for part in split(self.row["method_name"])]

    @cached_property
    def parameters(self) -> Sequence[Parameter]:
        """Read off the signature as off any code. None when it is no header."""
        signature = self.row["signature"]
        word = signature.split(maxsplit=1)[:1]
        text = f"{signature}\n{_ENDS.get(word[0].lower() if word else '', 'КонецПроцедуры')}"
        subs = read_outline(text, mask(text).code).subs
        return subs[0].parameters if subs else []

    @cached_property
    def doc(self) -> dict[str, Any]:
        return msgspec.json.decode(parse_doc_comment(self.row["doc_comment"]))

    @cached_property
    def owner(self) -> list[str]:
        """Stems of the name of the object that it belongs to."""
        return [stem(part) for part in split(_part(self.row["object"], 1))]

    def words(self, block: str) -> list[str]:
        return getattr(self, f"_{block}")()

    def _name(self) -> list[str]:
        """Stems and pairs of stems; first, last, first two and all of them once more as what they are."""
        parts = self.name
        ends = (
            [f"^{parts[0]}", f"{parts[-1]}$", f"^{' '.join(parts[:2])}", f"^{' '.join(parts)}$"]
            if parts
            else []
        )
        return [*parts, *_pairs(parts), *ends]

    def _parameters(self) -> list[str]:
        found = [stem(part) for p in self.parameters for part in split(p.name)]
        found += [f"={p.name.lower()}" for p in self.parameters]
        return found + [f"default {(p.default or 'none').lower()[:20]}" for p in self.parameters]

    def _doc(self) -> list[str]:
        return [*self.row["doc_terms"], *_pairs(self.row["doc_terms"])]

    def _types(self) -> list[str]:
        """Types that the comment gives, and how many fields each parameter and each returned value has."""
        return [
            word
            for role in ("parameters", "returns")
            for item in self.doc[role]
            for word in (*(f"{role} {t.lower()}" for t in item["types"]), f"{role} {_fields(item)} fields")
        ]

    def _place(self) -> list[str]:
        kind, directive = self.row["module_type"], self.row["directive"]
        found = [f"{kind} {directive}", kind, _part(self.row["object"], 0), f"export {self.row['is_export']}"]
        return [*found, *self.owner, f"{self.owner[-1]}$" if self.owner else ""]

    def numbers(self) -> tuple[float, ...]:
        parameters, doc = self.parameters, self.doc
        described, returned = doc["parameters"], doc["returns"]
        return (
            len(self.name),
            len(self.row["method_name"]),
            len(parameters),
            sum(p.is_by_value for p in parameters),
            sum(p.default is not None for p in parameters),
            sum(len(p.name) for p in parameters),
            self.row["is_export"],
            self.row["is_function"],
            len(self.row["doc_comment"]),
            len(self.row["doc_comment"].splitlines()),
            len(doc["description"]),
            len(described),
            len(returned),
            sum(len(item["types"]) for item in described),
            sum(len(item["types"]) for item in returned),
            sum(map(_fields, described)),
            sum(map(_fields, returned)),
            "deprecated" in doc,
            "example" in doc,
            max((len(item["description"]) for item in returned), default=0),
        )

    def categories(self) -> tuple[str, ...]:
        """Of `CATEGORIES`."""
        return self.row["module_type"], _part(self.row["object"], 0), self.row["directive"]


def headers(rows: pa.Table) -> list[Header]:
    """Of rows of the features table, in order."""
    return [Header(row) for row in rows.select(list(COLUMNS)).to_pylist()]


def modules(rows: pa.Table) -> np.ndarray:
    """int [rows]: a number per module; one of its own for a method of which no module is known."""
    import numpy as np

    numbers: dict[tuple[Any, ...], int] = {}
    places = zip(*(rows[name].to_pylist() for name in MODULE), strict=True)
    own = ((*place, at) if place[-1] == _NOWHERE else place for at, place in enumerate(places))
    return np.array([numbers.setdefault(place, len(numbers)) for place in own], int)


def _pairs(words: Sequence[str]) -> list[str]:
    return [f"{a} {b}" for a, b in pairwise(words)]


def _fields(item: Mapping[str, Any]) -> int:
    return len(item.get("fields", ()))


def _part(full_name: str, at: int) -> str:
    return (full_name.split(".") + [""] * 2)[at]
