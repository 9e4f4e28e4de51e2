"""XDTO packages (`Package.bin` of a Designer dump, which is XML, and `Package.xdto` of EDT): names of their
types. Their properties are left out: the exchange formats alone have a hundred thousand of them."""

from __future__ import annotations

from ai_stack_assets.domain.onec.model import Node
from ai_stack_assets.domain.onec.xml import LOCAL, parse

_LISTS = {"objectType": "ObjectTypes", "valueType": "ValueTypes", "import": "Imports"}


def read_package(data: bytes) -> Node:
    node = Node("XDTOPackage")
    for part in parse(data):
        if found := _LISTS.get(LOCAL[part.tag]):
            name = part.get("name") or part.get("namespace")
            if name:
                node.properties.setdefault(found, []).append(name)
    return node
