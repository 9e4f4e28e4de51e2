"""Rights of a role: `Roles/<name>/Ext/Rights.xml`; EDT's `Rights.rights` has the same content, so both are
read here.

One link per object and right: `RoleRight` when it is granted, `RoleRightDenied` when the file says that it
is not (files hold only what differs from the role's defaults)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.onec.model import EMPTY_OBJECT, Link, Node, Rejection
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_FLAGS = {
    "setForNewObjects": "SetForNewObjects",
    "setForAttributesByDefault": "SetForAttributesByDefault",
    "independentRightsOfChildObjects": "IndependentRightsOfChildObjects",
}


def read_rights(data: bytes) -> Node:
    root = parse(data)
    if LOCAL[root.tag] != "Rights":
        raise Rejection("unexpected_xml", f"<{LOCAL[root.tag]}> is no list of rights", root.sourceline)
    role = Node("Role")
    for part in root:
        tag = LOCAL[part.tag]
        if tag == "object":
            _object_rights(role.links, part)
        elif tag in _FLAGS:
            role.properties[_FLAGS[tag]] = part.text == "true"
        elif tag == "restrictionTemplate":
            role.children.append(_template(part))
    return role


def _object_rights(links: list[Link], element: Element) -> None:
    target = ""
    for part in element:
        if LOCAL[part.tag] == "name":
            target = text_of(part)
        elif LOCAL[part.tag] == "right":
            links.append(_right(target, part))


def _right(target: str, element: Element) -> Link:
    name, is_granted, restrictions = "", False, []
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "name":
            name = text_of(part)
        elif tag == "value":
            is_granted = part.text == "true"
        elif tag == "restrictionByCondition":
            restrictions.append(_restriction(part))
    properties = EMPTY_OBJECT
    if restrictions:
        properties = msgspec.json.encode({"restrictions": restrictions}, order="sorted").decode()
    return Link("RoleRight" if is_granted else "RoleRightDenied", target, name, properties)


def _restriction(element: Element) -> dict[str, Any]:
    """`{"condition": "…", "fields": ["Код", …]}`; no fields: all that no other restriction names."""
    found: dict[str, Any] = {"condition": ""}
    for part in element:
        if LOCAL[part.tag] == "condition":
            found["condition"] = part.text or ""
        elif LOCAL[part.tag] == "field":
            found.setdefault("fields", []).append(text_of(part))
    return found


def _template(element: Element) -> Node:
    parts = {LOCAL[part.tag]: part.text or "" for part in element}
    name = parts.get("name", "").strip()
    properties = {"Signature": name, "Condition": parts.get("condition", "")}
    return Node("RestrictionTemplate", name.partition("(")[0].strip(), properties=properties)
