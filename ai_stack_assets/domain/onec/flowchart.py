"""The route map of a business process (`Flowchart.xml` of a Designer dump, `Flowchart.scheme` of EDT: the
same XML): its points, and the methods of the object module that handle their events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.designer.values import localized_text, names_in
from ai_stack_assets.domain.onec.model import Link, Node
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_NO_POINTS = {"ConnectionLine", "Decoration"}


def read_flowchart(data: bytes) -> Node:
    points = [
        _point(item)
        for part in parse(data)
        if LOCAL[part.tag] == "Items"
        for item in part
        if LOCAL[item.tag] not in _NO_POINTS
    ]
    return Node("BusinessProcess", children=points)


def _point(element: Element) -> Node:
    node = Node("RoutePoint", uuid=(element.get("uuid") or "").lower())
    node.properties["PointType"] = LOCAL[element.tag]
    for part in element:
        if LOCAL[part.tag] == "Properties":
            _properties(node, part)
        elif LOCAL[part.tag] == "Events":
            node.links += [
                Link("RoutePointHandler", f"@.ObjectModule.{text_of(event)}", event.get("name", ""))
                for event in part
                if text_of(event)
            ]
    return node


def _properties(node: Node, element: Element) -> None:
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Name":
            node.name = text_of(part)
        elif tag == "Title":
            node.synonym = localized_text(part)
        elif tag == "BusinessProcess":
            node.links += [Link("NestedProcess", name) for name in names_in(part)]
