"""Value types of metadata: one JSON text for both layouts, and the objects that they lead to.

    [{"type":"CatalogRef.Валюты"},{"allowed_length":"Variable","length":10,"type":"String"}]

Types are sorted by name (their order means nothing), qualifiers stand beside the type that they qualify. `length` 0 is
unlimited. A number has `digits`, `fraction_digits`, `allowed_sign` (`Any` or `Nonnegative`); a date has `date_fractions`
(`Date`, `Time` or `DateTime`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from ai_stack_assets.domain.onec.kinds import type_target

_NAMES = {
    "string": "String",
    "boolean": "Boolean",
    "decimal": "Number",
    "dateTime": "Date",
    "base64Binary": "BinaryData",
    "binary": "BinaryData",
    "AnyIBRef": "AnyRef",
    "ValueListType": "ValueList",
    "SettingsComposer": "DataCompositionSettingsComposer",
    "Filter": "DataCompositionFilter",
    "Order": "DataCompositionOrder",
    "Settings": "DataCompositionSettings",
    "Field": "DataCompositionField",
}

QUALIFIERS: dict[str, dict[str, Any]] = {
    "String": {"length": 0, "allowed_length": "Variable"},
    "BinaryData": {"length": 0, "allowed_length": "Variable"},
    "Number": {"digits": 0, "fraction_digits": 0, "allowed_sign": "Any"},
    "Date": {"date_fractions": "DateTime"},
}
"""Type → its qualifiers and what they are when the source leaves them out."""


def type_name(source: str) -> str:
    """`xs:string` → `String`, `cfg:CatalogRef.Валюты` → `CatalogRef.Валюты`; an English platform name stays as it is."""
    local = source.rpartition(":")[2].strip()
    return _NAMES.get(local, local)


def types_json(types: Iterable[str], qualifiers: dict[str, dict[str, Any]]) -> str:
    """JSON of type names (as `type_name` gives them) with the qualifiers that the source states, by type."""
    found = [
        {"type": name, **QUALIFIERS.get(name, {}), **qualifiers.get(name, {})} for name in sorted(set(types))
    ]
    return msgspec.json.encode(found, order="sorted").decode()


@lru_cache(maxsize=100_000)
def type_targets(types: str) -> tuple[str, ...]:
    """Ids of the objects that the types of such a JSON text belong to, in order, distinct."""
    found = (type_target(entry["type"]) for entry in msgspec.json.decode(types))
    return tuple(dict.fromkeys(target for target in found if target))
