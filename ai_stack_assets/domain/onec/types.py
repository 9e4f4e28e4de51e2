"""Value types of metadata: one JSON text for both layouts, and the objects that they lead to.

    [{"type":"CatalogRef.Валюты"},{"allowed_length":"Variable","length":10,"type":"String"}]

Types are sorted by name (their order means nothing), qualifiers stand beside the type that they qualify.
`length` 0 is unlimited. A number has `digits`, `fraction_digits`, `allowed_sign` (`Any` or `Nonnegative`);
a date has `date_fractions` (`Date`, `Time` or `DateTime`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from ai_stack_assets.domain.onec.kinds import BY_NAME, EXTERNAL_KINDS, KINDS

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
    """`xs:string` → `String`, `cfg:CatalogRef.Валюты` → `CatalogRef.Валюты`; an English platform name stays
    as it is."""
    local = source.rpartition(":")[2].strip()
    return _NAMES.get(local, local)


def types_json(types: Iterable[str], qualifiers: dict[str, dict[str, Any]]) -> str:
    """JSON of type names (as `type_name` gives them) with the qualifiers that the source states, by type."""
    found = [
        {"type": name, **QUALIFIERS.get(name, {}), **qualifiers.get(name, {})} for name in sorted(set(types))
    ]
    return msgspec.json.encode(found, order="sorted").decode()


_TYPES: dict[str, str] = {f"{kind.name}{suffix}": kind.name for kind in KINDS for suffix in kind.types} | {
    name: kind.name for kind in KINDS for name in kind.ids
}
_TYPES |= {f"{kind}Object": kind for kind in EXTERNAL_KINDS}
_NESTED_TYPES = {
    f"ExternalDataSource{part}{suffix}": part
    for part, suffixes in {
        "Table": (
            "Ref",
            "Object",
            "Manager",
            "RecordSet",
            "RecordKey",
            "RecordManager",
            "Record",
            "List",
            "Selection",
        ),
        "Cube": ("Manager", "RecordKey", "List", "Selection", "Record"),
        "CubeDimensionTable": ("Ref", "Object", "Manager", "RecordKey", "List", "Selection"),
    }.items()
    for suffix in suffixes
}
_STRUCTURED = {"TabularSection": "TabularSection", "TabularSectionRow": "TabularSection"}


def type_target(type_name: str) -> str | None:
    """Id of the object that a value type belongs to, or of a tabular section's field; None for the
    platform's own types.

    `CatalogRef.Валюты` → `Catalog.Валюты`; `DefinedType.Сумма` → itself; `Characteristic.Виды` →
    `ChartOfCharacteristicTypes.Виды`; `CatalogTabularSection.Валюты.Т` → `Catalog.Валюты.TabularSection.Т`;
    `ExternalDataSourceTableRef.И.Т` → `ExternalDataSource.И.Table.Т`. A type without a name (`CatalogRef`:
    any catalog) has no target."""
    prefix, _, name = type_name.partition(".")
    if not name:
        return None
    if kind := _TYPES.get(prefix):
        return f"{kind}.{name}"
    if part := _NESTED_TYPES.get(prefix):
        parts = ["ExternalDataSource", *_alternate(name.split("."), part)]
        return ".".join(parts)
    for suffix, field in _STRUCTURED.items():
        owner = prefix.removesuffix(suffix)
        if owner != prefix and owner in BY_NAME and "." in name:
            own, _, section = name.partition(".")
            return f"{owner}.{own}.{field}.{section}"
    return None


def _alternate(names: list[str], part: str) -> list[str]:
    if part == "CubeDimensionTable" and len(names) == 3:
        return [names[0], "Cube", names[1], "DimensionTable", names[2]]
    return [names[0], *(x for name in names[1:] for x in (part, name))]


def is_any(type_name: str) -> bool:
    """A type set without a name: `CatalogRef` (any catalog), `AnyRef`."""
    return "." not in type_name and (type_name in _TYPES or type_name == "AnyRef")


@lru_cache(maxsize=100_000)
def type_targets(types: str) -> tuple[str, ...]:
    """Ids of the objects that the types of such a JSON text belong to, in order, distinct."""
    found = (type_target(entry["type"]) for entry in msgspec.json.decode(types))
    return tuple(dict.fromkeys(target for target in found if target))
