"""Small values of EDT files: names of elements, texts by language, value types. No knowledge of kinds.

EDT leaves out what equals the default of its own model, so an absent element is a value: `types.QUALIFIERS`
holds those of value types, `properties.DEFAULTS` those of metadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.model import EMPTY_LIST
from ai_stack_assets.domain.onec.types import type_name, types_json
from ai_stack_assets.domain.onec.xml import LOCAL, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_QUALIFIED = {
    "stringQualifiers": "String",
    "numberQualifiers": "Number",
    "dateQualifiers": "Date",
    "binaryQualifiers": "BinaryData",
    "binaryDataQualifiers": "BinaryData",
}
_NUMBERS = {"length": "length", "precision": "digits", "scale": "fraction_digits"}
_FLAGS = {"fixed": ("allowed_length", "Fixed"), "nonNegative": ("allowed_sign", "Nonnegative")}


class _PropertyNames(dict):
    """An element's name → the Designer's: `foldersOnTop` → `FoldersOnTop`, `httpMethod` → `HTTPMethod`."""

    def __missing__(self, tag: str) -> str:
        for prefix in ("http", "xdto"):
            if tag.startswith(prefix):
                name = prefix.upper() + tag[len(prefix) :]
                break
        else:
            name = tag[:1].upper() + tag[1:]
        self[tag] = name
        return name


PROPERTY: dict[str, str] = _PropertyNames()


def add_text(texts: dict[str, str], element: Element) -> None:
    """Adds one `<key>ru</key><value>…</value>`: EDT repeats the whole element for each language."""
    language = content = ""
    for part in element:
        if LOCAL[part.tag] == "key":
            language = part.text or ""
        else:
            content = part.text or ""
    if content:
        texts[language] = content


def localized(elements: Iterable[Element]) -> dict[str, str]:
    """All elements of one name → texts by language; empty texts are left out."""
    texts: dict[str, str] = {}
    for element in elements:
        add_text(texts, element)
    return texts


def value_types(element: Element) -> str:
    """`<types>` and qualifiers → JSON as in `fields.types`."""
    names: list[str] = []
    qualifiers: dict[str, dict[str, Any]] = {}
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "types":
            names.append(type_name(part.text or ""))
        elif tag in _QUALIFIED:
            qualifiers[_QUALIFIED[tag]] = _qualifiers(part)
    return types_json(names, qualifiers) if names else EMPTY_LIST


def _qualifiers(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in element:
        tag, text = LOCAL[part.tag], text_of(part)
        if tag in _NUMBERS:
            if text.isdecimal():
                found[_NUMBERS[tag]] = int(text)
        elif tag in _FLAGS:
            if text == "true":
                name, value = _FLAGS[tag]
                found[name] = value
        elif tag == "dateFractions":
            found["date_fractions"] = text
    return found


def data_path(element: Element) -> str:
    """`<segments>Объект.Валюта</segments>`, possibly below `<paths>` (one per language: the first counts)."""
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "segments":
            return text_of(part)
        if tag == "paths":
            return data_path(part)
    return ""
