"""Metadata objects of an EDT project: `Configuration.mdo`, `Catalogs/Валюты/Валюты.mdo`…

Such a file is one element; properties and children lie side by side in it. Attributes, forms, templates,
commands are inline; nested subsystems and the tables of an external data source are only named here and have
files of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.designer.objects import belonging, comment, common_method
from ai_stack_assets.domain.onec.designer.values import names_in
from ai_stack_assets.domain.onec.edt.adopted import keep_controlled
from ai_stack_assets.domain.onec.edt.parts import help_languages, read_predefined
from ai_stack_assets.domain.onec.edt.values import PROPERTY, add_text, value_types
from ai_stack_assets.domain.onec.kinds import BY_FOLDER
from ai_stack_assets.domain.onec.model import Link, Node, Rejection, localized_json
from ai_stack_assets.domain.onec.properties import DEFAULTS, DETAILED, LOCALIZED, keep, link_kind
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_CHILDREN = {
    "attributes": "Attribute",
    "tabularSections": "TabularSection",
    "dimensions": "Dimension",
    "resources": "Resource",
    "enumValues": "EnumValue",
    "accountingFlags": "AccountingFlag",
    "extDimensionAccountingFlags": "ExtDimensionAccountingFlag",
    "addressingAttributes": "AddressingAttribute",
    "columns": "Column",
    "urlTemplates": "URLTemplate",
    "methods": "Method",
    "operations": "Operation",
    "parameters": "Parameter",
    "integrationServiceChannels": "IntegrationServiceChannel",
    "fields": "Field",
    "tableFields": "Field",
    "functions": "Function",
    "forms": "Form",
    "templates": "Template",
    "commands": "Command",
    "recalculations": "Recalculation",
    "subsystems": "Subsystem",
    "tables": "Table",
    "cubes": "Cube",
    "dimensionTables": "DimensionTable",
    "languages": "Language",
}
_COLLECTIONS = {folder.lower(): kind.name for folder, kind in BY_FOLDER.items()}
"""`xdtopackages` → `XDTOPackage`: the configuration's lists of its children, in any case of letters."""
_FILLED = {
    "StyleItem": {"Type": "Color"},
    "IntegrationServiceChannel": {"MessageDirection": "Send"},
    "CommandGroup": {"Category": "NavigationPanel"},
}
"""Kind → values that EDT leaves out because they are the first of its lists."""
_PURPOSES = {"PersonalComputer": "PlatformApplication", "MobileDevice": "MobilePlatformApplication"}


def read_object(data: bytes) -> Node:
    root = parse(data)
    kind = LOCAL[root.tag]
    if "/dt/metadata/mdclass" not in root.tag:
        raise Rejection("unexpected_xml", f"<{kind}> is no metadata object", root.sourceline)
    return _node(kind, root)


def _node(kind: str, element: Element) -> Node:
    node = Node(kind, uuid=(element.get("uuid") or "").lower())
    texts: dict[str, dict[str, str]] = {}
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "name":
            node.name = text_of(part)
        elif tag == "synonym":
            add_text(texts.setdefault(tag, {}), part)
        elif _is_child(kind, tag, part):
            _child(node, tag, part)
        else:
            _property(node, PROPERTY[tag], part)
    if texts:
        node.synonym = localized_json(texts["synonym"])
    if node.is_adopted:
        keep_controlled(node, element)
    _fill(node)
    return node


def _fill(node: Node) -> None:
    """What EDT leaves out though the Designer always has it, and no table of defaults drops."""
    for name, value in _FILLED.get(node.kind, {}).items():
        node.properties.setdefault(name, value)
    if node.kind == "Configuration" and (mode := node.properties.get("CompatibilityMode")):
        node.properties.setdefault("ConfigurationExtensionCompatibilityMode", mode)


# ---- children


def _is_child(kind: str, tag: str, part: Element) -> bool:
    if kind == "Configuration":
        return tag.lower() in _COLLECTIONS
    return tag in _CHILDREN and (len(part) > 0 or tag in _NAMED)


_NAMED = {"subsystems", "tables", "cubes", "dimensionTables"}
"""Children that are only named here."""


def _child(node: Node, tag: str, part: Element) -> None:
    if node.kind == "Configuration":
        _entry(node, _COLLECTIONS[tag.lower()], part)
    elif len(part):
        node.children.append(_node(_CHILDREN[tag], part))
    elif name := text_of(part):
        # a nested subsystem by its own name, a table by its full one
        node.children.append(Node(_CHILDREN[tag], name.rpartition(".")[2]))


def _entry(node: Node, kind: str, part: Element) -> None:
    """One entry of the configuration's list: a full name; a language is described right here."""
    if len(part):
        child = _node(kind, part)
        node.children.append(child)
        node.links.append(Link("ChildObject", f"{kind}.{child.name}"))
    elif name := text_of(part):
        node.links.append(Link("ChildObject", name))


# ---- properties


def _property(node: Node, name: str, part: Element) -> None:
    if special := _SPECIAL.get(name):
        special(node, part)
    elif reference := link_kind(node.kind, name):
        detail = name if reference in DETAILED else ""
        node.links += [Link(reference, target, detail) for target in names_in(part)]
    elif name in LOCALIZED:
        if len(part):
            add_text(node.properties.setdefault(name, {}), part)
            if not node.properties[name]:
                del node.properties[name]
    elif name in DEFAULTS and len(part) == 0 and (value := keep(name, part.text or "")) is not None:
        node.properties[name] = value


def _type(node: Node, part: Element) -> None:
    if len(part):
        node.types = value_types(part)
    elif node.kind == "StyleItem" and part.text:
        node.properties["Type"] = part.text


def _version(node: Node, part: Element) -> None:
    """`8.3.24` → `Version8_3_24`."""
    if text := text_of(part):
        is_number = text.replace(".", "").isdecimal()
        node.properties[PROPERTY[LOCAL[part.tag]]] = f"Version{text.replace('.', '_')}" if is_number else text


def _group(node: Node, part: Element) -> None:
    if text := text_of(part):
        node.properties["Group"] = text
        if text.startswith("CommandGroup."):
            node.links.append(Link("CommandGroup", text))


def _handler(node: Node, part: Element) -> None:
    if (text := text_of(part)) and node.kind == "EventSubscription":
        event = next(
            (other.text or "" for other in next(part.iterancestors()) if LOCAL[other.tag] == "event"), ""
        )
        node.links.append(Link("SubscriptionHandler", common_method(text), event))
    elif text:
        node.links.append(Link("HTTPHandler", f"@.Module.{text}"))


def _module_handler(kind: str) -> Callable[[Node, Element], None]:
    def read(node: Node, part: Element) -> None:
        if text := text_of(part):
            node.links.append(Link(kind, f"@.Module.{text}"))

    return read


def _job_method(node: Node, part: Element) -> None:
    if text := text_of(part):
        node.links.append(Link("ScheduledJobMethod", common_method(text)))


def _content(node: Node, part: Element) -> None:
    parts = {LOCAL[item.tag]: text_of(item) for item in part}
    if node.kind == "CommonAttribute":
        node.links.append(Link("CommonAttributeContent", parts.get("metadata", ""), parts.get("use", "Auto")))
    elif node.kind == "ExchangePlan":
        node.links.append(
            Link("ExchangePlanContent", parts.get("mdObject", ""), parts.get("autoRecord", "Deny"))
        )
    elif reference := link_kind(node.kind, "Content"):
        node.links += [Link(reference, target) for target in names_in(part)]


def _packages(node: Node, part: Element) -> None:
    names = (name for name in names_in(part) if name.startswith("XDTOPackage."))
    node.links += [Link("XDTOPackage", name) for name in names]


def _xdto_type(node: Node, part: Element) -> None:
    parts = {LOCAL[item.tag]: text_of(item) for item in part}
    if name := parts.get("name"):
        namespace = parts.get("nsUri")
        node.properties[PROPERTY[LOCAL[part.tag]]] = f"{{{namespace}}}{name}" if namespace else name


def _register_dimension(node: Node, part: Element) -> None:
    node.links += [Link("RecalculationData", target) for target in names_in(part)]


def _use_purposes(node: Node, part: Element) -> None:
    if node.kind == "Configuration" and (text := text_of(part)):
        purposes = node.properties.setdefault("UsePurposes", [])
        purposes.append(_PURPOSES.get(text, text))
        purposes.sort()


def _help(node: Node, part: Element) -> None:
    if languages := help_languages(part):
        node.properties["Help"] = languages


def _predefined(node: Node, part: Element) -> None:
    """Predefined items; for a scheduled job or a bot a mere flag."""
    if len(part):
        node.children += read_predefined(part)
    elif (value := keep("Predefined", text_of(part))) is not None:
        node.properties["Predefined"] = value


def _skip(node: Node, part: Element) -> None:
    pass


_SPECIAL: dict[str, Callable[[Node, Element], None]] = {
    "Comment": comment,
    "ObjectBelonging": belonging,
    "Type": _type,
    "Source": _type,
    "CommandParameterType": _type,
    "CompatibilityMode": _version,
    "ConfigurationExtensionCompatibilityMode": _version,
    "Group": _group,
    "Handler": _handler,
    "MethodName": _job_method,
    "ProcedureName": _module_handler("WebServiceHandler"),
    "ReceiveMessageProcessing": _module_handler("ChannelHandler"),
    "Content": _content,
    "XDTOPackages": _packages,
    "XDTOReturningValueType": _xdto_type,
    "XDTOValueType": _xdto_type,
    "RegisterDimension": _register_dimension,
    "UsePurposes": _use_purposes,
    "Help": _help,
    "Predefined": _predefined,
    "Extension": _skip,
    "ProducedTypes": _skip,
    "StandardAttributes": _skip,
    "Characteristics": _skip,
}
