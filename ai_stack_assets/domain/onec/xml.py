"""Reading XML from strangers: no entities, no DTD, no network, a limit on size. Both readers parse through
here.

Whatever is wrong becomes a `Rejection` with its place. Comments and processing instructions are dropped
while parsing, so children of an element are elements."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.model import Rejection

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_BYTES = 64 * 2**20
"""The largest file worth reading: real ones end at 10 MB."""

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_PROLOG_WITH_DTD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<!DOCTYPE", re.S)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")


class _Locals(dict):
    """`{namespace}Name` → `Name`, remembered: the tags of a configuration are a few hundred."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2]
        return name


LOCAL: dict[str, str] = _Locals()


def parse(data: bytes) -> Element:
    """The root element.

    Raises:
        Rejection: `too_large`, `unsafe_xml` (a DTD, which could declare entities) or `broken_xml`.
    """
    from lxml import etree

    if len(data) > MAX_BYTES:
        raise Rejection("too_large", f"{len(data)} bytes, the limit is {MAX_BYTES}")
    if data[:2] in _WIDE:
        data = _from_utf16(data)
    if b"<!DOCTYPE" in data and _PROLOG_WITH_DTD.match(data):
        raise Rejection("unsafe_xml", "the file has a DTD, which 1C never writes: entities are not resolved")
    try:
        return etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        if "valid URI" in (error.msg or "") and (root := _with_any_namespaces(data)) is not None:
            return root
        line, column = error.position
        raise Rejection("broken_xml", error.msg or "empty file", line or None, column or None) from None


def _with_any_namespaces(data: bytes) -> Element | None:
    """The root of a file that is wrong in nothing but its namespaces: those of 1C may be in Russian, which
    is no valid URI."""
    from lxml import etree

    parser = etree.XMLParser(recover=True, **_SAFE)
    root = etree.fromstring(data, parser)
    errors = [e for e in parser.error_log if e.domain != etree.ErrorDomains.NAMESPACE]
    return None if errors else root


def _from_utf16(data: bytes) -> bytes:
    codec = "utf-16" if data[:2] in _WIDE[:2] else "utf-16-le" if data[:1] == b"<" else "utf-16-be"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise Rejection("broken_xml", f"not UTF-16: {error.reason}") from None
    return _DECLARATION.sub("", text, count=1).encode()


@cache
def _parser() -> Any:
    from lxml import etree

    return etree.XMLParser(**_SAFE)


def text_of(element: Element) -> str:
    """The element's own text without blanks around it."""
    return (element.text or "").strip()
