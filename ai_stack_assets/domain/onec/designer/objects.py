"""Metadata objects of a Designer dump: `Configuration.xml`, `Catalogs/Валюты.xml`,
`Catalogs/Валюты/Forms/Ф.xml`…

Every such file is `<MetaDataObject><Kind uuid><Properties/><ChildObjects/></Kind>`. Attributes, tabular
sections, commands are inline children; forms, templates, nested subsystems are only named and have files of
their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.designer.values import (
    localized,
    localized_text,
    names_in,
    qualified_name,
    value_types,
)
from ai_stack_assets.domain.onec.model import Link, Node, Rejection
from ai_stack_assets.domain.onec.properties import DEFAULTS, DETAILED, LOCALIZED, keep, link_kind
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def read_object(data: bytes) -> Node:
    root = parse(data)
    if LOCAL[root.tag] != "MetaDataObject" or len(root) == 0:
        raise Rejection("unexpected_xml", f"<{LOCAL[root.tag]}> is no metadata object", root.sourceline)
    return _node(root[0])


def _node(element: Element) -> Node:
    node = Node(LOCAL[element.tag], uuid=(element.get("uuid") or "").lower())
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Properties":
            _properties(node, part)
        elif tag == "ChildObjects":
            _children(node, part)
    return node


def _children(node: Node, element: Element) -> None:
    if node.kind == "Configuration":
        for child in element:
            node.links.append(Link("ChildObject", f"{LOCAL[child.tag]}.{text_of(child)}"))
        return
    for child in element:
        if len(child):
            node.children.append(_node(child))
        elif name := text_of(child):
            node.children.append(Node(LOCAL[child.tag], name))


def _properties(node: Node, element: Element) -> None:
    kind = node.kind
    for part in element:
        name = LOCAL[part.tag]
        if special := _SPECIAL.get(name):
            special(node, part)
        elif len(part) == 0 and not part.text:
            continue
        elif reference := link_kind(kind, name):
            detail = name if reference in DETAILED else ""
            node.links += [Link(reference, target, detail) for target in names_in(part)]
        elif name in DEFAULTS:
            if (value := keep(name, part.text or "")) is not None:
                node.properties[name] = value
        elif name in LOCALIZED and (texts := localized(part)):
            node.properties[name] = texts


# ---- properties that are neither a scalar nor a plain link


def _name(node: Node, element: Element) -> None:
    node.name = text_of(element)


def _synonym(node: Node, element: Element) -> None:
    if len(element):
        node.synonym = localized_text(element)


def comment(node: Node, element: Element) -> None:
    node.comment = element.text or ""


def belonging(node: Node, element: Element) -> None:
    node.is_adopted = element.text == "Adopted"


def _type(node: Node, element: Element) -> None:
    if len(element):
        node.types = value_types(element)
    elif node.kind == "StyleItem" and element.text:
        node.properties["Type"] = element.text


def _group(node: Node, element: Element) -> None:
    if element.text:
        node.properties["Group"] = element.text
        if element.text.startswith("CommandGroup."):
            node.links.append(Link("CommandGroup", element.text))


def _handler(node: Node, element: Element) -> None:
    if element.text and node.kind == "EventSubscription":
        event = node.properties.get("Event", "")  # stands before the handler in every dump
        node.links.append(Link("SubscriptionHandler", common_method(element.text), event))
    elif element.text:
        node.links.append(Link("HTTPHandler", f"@.Module.{element.text}"))


def _job_method(node: Node, element: Element) -> None:
    if element.text:
        node.links.append(Link("ScheduledJobMethod", common_method(element.text)))


def _procedure(node: Node, element: Element) -> None:
    if element.text:
        node.links.append(Link("WebServiceHandler", f"@.Module.{element.text}"))


def _channel_handler(node: Node, element: Element) -> None:
    if element.text:
        node.links.append(Link("ChannelHandler", f"@.Module.{element.text}"))


def _content(node: Node, element: Element) -> None:
    if node.kind == "CommonAttribute":
        node.links += [_content_item(item) for item in element]
    elif reference := link_kind(node.kind, "Content"):
        node.links += [Link(reference, target) for target in names_in(element)]


def _content_item(item: Element) -> Link:
    parts = {LOCAL[part.tag]: text_of(part) for part in item}
    return Link("CommonAttributeContent", parts.get("Metadata", ""), parts.get("Use", ""))


def _packages(node: Node, element: Element) -> None:
    names = (name for name in names_in(element) if name.startswith("XDTOPackage."))
    node.links += [Link("XDTOPackage", name) for name in names]


def _xdto_type(node: Node, element: Element) -> None:
    if name := qualified_name(element):
        node.properties[LOCAL[element.tag]] = name


def _register_dimension(node: Node, element: Element) -> None:
    node.links += [Link("RecalculationData", target) for target in names_in(element)]


def _use_purposes(node: Node, element: Element) -> None:
    if node.kind == "Configuration" and len(element):
        node.properties["UsePurposes"] = sorted(
            USE_PURPOSES.get(text_of(part), text_of(part)) for part in element
        )


USE_PURPOSES = {"PersonalComputer": "PlatformApplication", "MobileDevice": "MobilePlatformApplication"}
"""Names up to platform 8.3.11 (EDT keeps them) → names since."""


def common_method(name: str) -> str:
    """`CommonModule.Модуль.Метод` → the method's id: `CommonModule.Модуль.Module.Метод`."""
    owner, _, method = name.rpartition(".")
    return f"{owner}.Module.{method}" if owner else method


_SPECIAL: dict[str, Callable[[Node, Element], None]] = {
    "Name": _name,
    "Synonym": _synonym,
    "Comment": comment,
    "ObjectBelonging": belonging,
    "Type": _type,
    "Source": _type,
    "CommandParameterType": _type,
    "Group": _group,
    "Handler": _handler,
    "MethodName": _job_method,
    "ProcedureName": _procedure,
    "ReceiveMessageProcessing": _channel_handler,
    "Content": _content,
    "XDTOPackages": _packages,
    "XDTOReturningValueType": _xdto_type,
    "XDTOValueType": _xdto_type,
    "RegisterDimension": _register_dimension,
    "UsePurposes": _use_purposes,
}
