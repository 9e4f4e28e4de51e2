"""Small values of a Designer dump: texts by language, value types, lists of names. No knowledge of kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.model import EMPTY_LIST, localized_json
from ai_stack_assets.domain.onec.types import type_name, types_json
from ai_stack_assets.domain.onec.xml import LOCAL

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_QUALIFIERS = {
    "Length": "length",
    "AllowedLength": "allowed_length",
    "Digits": "digits",
    "FractionDigits": "fraction_digits",
    "AllowedSign": "allowed_sign",
    "DateFractions": "date_fractions",
}
_QUALIFIED = {
    "StringQualifiers": "String",
    "NumberQualifiers": "Number",
    "DateQualifiers": "Date",
    "BinaryDataQualifiers": "BinaryData",
}
_NUMERIC = {"Length", "Digits", "FractionDigits"}


def localized(element: Element) -> dict[str, str]:
    """`<v8:item><v8:lang>ru</v8:lang><v8:content>…` → `{"ru": "…"}`; empty texts are left out."""
    texts = {}
    for item in element:
        language = content = ""
        for part in item:
            if LOCAL[part.tag] == "lang":
                language = part.text or ""
            else:
                content = part.text or ""
        if content:
            texts[language] = content
    return texts


def localized_text(element: Element) -> str:
    """The same as JSON."""
    return localized_json(localized(element))


def value_types(element: Element) -> str:
    """`<v8:Type>`, `<v8:TypeSet>` and qualifiers → JSON as in `fields.types`."""
    names: list[str] = []
    qualifiers: dict[str, dict[str, Any]] = {}
    for part in element:
        tag = LOCAL[part.tag]
        if tag in ("Type", "TypeSet"):
            names.append(type_name(part.text or ""))
        elif tag == "TypeId":
            names.append(f"TypeId.{part.text}")
        elif tag in _QUALIFIED:
            qualifiers[_QUALIFIED[tag]] = _qualifiers(part)
    return types_json(names, qualifiers) if names else EMPTY_LIST


def _qualifiers(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in element:
        tag, text = LOCAL[part.tag], part.text or ""
        if tag in _NUMERIC:
            if text.isdecimal():
                found[_QUALIFIERS[tag]] = int(text)
        elif tag in _QUALIFIERS:
            found[_QUALIFIERS[tag]] = text
    return found


def names_in(element: Element) -> Iterator[str]:
    """Full names that a property holds: its own text, or the text of each item below it."""
    if len(element) == 0:
        if element.text and (text := element.text.strip()):
            yield text
    else:
        for part in element:
            yield from names_in(part)


def qualified_name(element: Element) -> str:
    """`d6p1:Message` → `{http://…}Message`, by the prefixes in force at the element."""
    prefix, _, local = (element.text or "").strip().rpartition(":")
    if not local:
        return ""
    namespace = element.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local
