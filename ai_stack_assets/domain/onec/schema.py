"""Data composition schemas (`Template.xml` of a Designer dump, `Template.dcs` of EDT: the same XML): data
sets, their fields and query texts. Other templates (spreadsheets, texts, pictures) have no facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.designer.values import localized, value_types
from ai_stack_assets.domain.onec.model import Node
from ai_stack_assets.domain.onec.xml import LOCAL, XSI_TYPE, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_SCHEMA = re.compile(rb"<(?:\w+:)?DataCompositionSchema[\s>]")
_HEAD_BYTES = 4096


def read_template(data: bytes) -> Node:
    """The parts of a schema; an empty node for any other template, which is not even parsed: spreadsheets
    are large."""
    if not _SCHEMA.search(data[:_HEAD_BYTES].replace(b"\x00", b"")):
        return Node("Template")
    schema = Node("Template")
    for part in parse(data):
        tag = LOCAL[part.tag]
        if tag == "dataSet":
            schema.children.append(_data_set(part, schema.queries))
        elif tag == "parameter":
            schema.children.append(_parameter(part))
    return schema


def _data_set(element: Element, queries: list[str]) -> Node:
    kind = LOCAL[(element.get(XSI_TYPE) or "").rpartition(":")[2]]
    node = Node("DataSet", properties={"DataSetType": kind} if kind else {})
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "name":
            node.name = text_of(part)
        elif tag == "query":
            if text_of(part):
                queries.append(part.text or "")
        elif tag == "item":
            node.children.append(_data_set(part, queries))
        elif tag == "field":
            if field := _field(part):
                node.children.append(field)
        elif tag == "objectName" and text_of(part):
            node.properties["ObjectName"] = text_of(part)
    return node


def _field(element: Element) -> Node | None:
    node = Node("DataSetField")
    source = ""
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "dataPath":
            node.name = text_of(part)
        elif tag == "field":
            source = text_of(part)
        elif tag == "title":
            node.properties |= {"Title": texts} if (texts := localized(part)) else {}
        elif tag == "valueType":
            node.types = value_types(part)
    if source and source != node.name:
        node.properties["Field"] = source
    return node if node.name else None


def _parameter(element: Element) -> Node:
    node = Node("SchemaParameter")
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "name":
            node.name = text_of(part)
        elif tag == "valueType":
            node.types = value_types(part)
        elif tag == "title" and (texts := localized(part)):
            node.properties["Title"] = texts
    return node
