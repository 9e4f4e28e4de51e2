"""The content of a managed form in an EDT project: `Forms/<name>/Form.form`.

The same facts as of a Designer dump: items of command bars and context menus are marked by `Place`; the bars
themselves, tooltips and search additions are left out. Handlers lie beside the item or in its `<extInfo>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.designer.forms import item_command, link_data_paths
from ai_stack_assets.domain.onec.edt.values import data_path, localized, value_types
from ai_stack_assets.domain.onec.model import Link, Node, Rejection, localized_json
from ai_stack_assets.domain.onec.xml import LOCAL, XSI_TYPE, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_BARS = {"contextMenu": "ContextMenu", "autoCommandBar": "CommandBar"}
_DECORATIONS = {"": "LabelDecoration", "Label": "LabelDecoration", "Picture": "PictureDecoration"}
_UNTYPED = {"FormField": "LabelField", "FormGroup": "ButtonGroup", "Addition": "SearchStringAddition"}
"""Class of item → its type when the file leaves it out."""


def read_form(data: bytes) -> Node:
    root = parse(data)
    if LOCAL[root.tag] != "Form":
        raise Rejection("unexpected_xml", f"<{LOCAL[root.tag]}> is no form", root.sourceline)
    form = Node("Form")
    items = _items(root, "")
    attributes: list[Node] = []
    others: list[Node] = []
    for part in root:
        tag = LOCAL[part.tag]
        if tag == "attributes":
            attributes.append(_attribute(part))
        elif tag == "formCommands":
            others.append(_command(part))
        elif tag == "parameters":
            others.append(_parameter(part))
    if title := localized(_parts(root, "title")):
        form.properties["Title"] = title
    form.links = _handlers(root, "FormHandler")
    link_data_paths(items, attributes)
    form.children = [*attributes, *others, *items]
    return form


def _parts(element: Element, tag: str) -> Iterator[Element]:
    return (part for part in element if LOCAL[part.tag] == tag)


def _name(element: Element) -> str:
    return next((text_of(part) for part in _parts(element, "name")), "")


def _title(element: Element) -> str:
    return localized_json(localized(_parts(element, "title")))


# ---- items


def _items(element: Element, place: str) -> list[Node]:
    """Items below an element; those of its bars come first, as in a Designer dump."""
    bars = [
        _item(item, own_place)
        for tag, own_place in _BARS.items()
        for bar in _parts(element, tag)
        for item in _parts(bar, "items")
    ]
    return bars + [_item(item, place) for item in _parts(element, "items")]


def _item(element: Element, place: str) -> Node:
    properties = {"ItemType": _item_type(element)}
    if place:
        properties["Place"] = place
    item = Node("FormItem", _name(element), synonym=_title(element), properties=properties)
    item.children = _items(element, place)
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "dataPath":
            item.data_path = data_path(part)
        elif tag == "commandName" and (target := item_command(text_of(part))):
            item.links.append(Link("ItemCommand", target))
    _tooltip(item, element)
    item.links += [*_handlers(element, "ItemHandler"), *_functional_options(element)]
    return item


def _item_type(element: Element) -> str:
    """The Designer's element: `xsi:type="form:FormField"` and `<type>InputField</type>` → `InputField`."""
    form_class = element.get(XSI_TYPE, "").rpartition(":")[2]
    own = next((text_of(part) for part in _parts(element, "type")), "")
    if form_class == "Decoration":
        return _DECORATIONS.get(own, own)
    return (own or _UNTYPED[form_class]) if form_class in _UNTYPED else form_class


def _tooltip(node: Node, element: Element) -> None:
    if tooltip := localized(_parts(element, "toolTip")):
        node.properties["ToolTip"] = tooltip


def _handlers(element: Element, kind: str) -> list[Link]:
    links = []
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "handlers":
            texts = {LOCAL[own.tag]: text_of(own) for own in part}
            if name := texts.get("name"):
                call_type = texts.get("callType")
                links.append(Link(kind, f"@.Module.{name}", texts.get("event", ""), _call_type(call_type)))
        elif tag == "extInfo":
            links += _handlers(part, kind)
    return links


def _call_type(call_type: str | None) -> str:
    return f'{{"CallType":"{call_type}"}}' if call_type else "{}"


def _functional_options(element: Element) -> list[Link]:
    options = (text_of(part) for part in _parts(element, "functionalOptions"))
    return [Link("FunctionalOptionUse", option) for option in options if option]


# ---- attributes, commands, parameters


def _value(kind: str, element: Element) -> Node:
    """What attributes, columns and parameters have in common."""
    node = Node(kind, _name(element), synonym=_title(element), links=_functional_options(element))
    for part in _parts(element, "valueType"):
        node.types = value_types(part)
    return node


def _attribute(element: Element) -> Node:
    node = _value("FormAttribute", element)
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "main" and part.text == "true":
            node.properties["MainAttribute"] = True
        elif tag == "columns":
            node.children.append(_value("FormAttributeColumn", part))
        elif tag == "additionalColumns":
            node.children += _additional_columns(part)
        elif tag == "extInfo" and part.get(XSI_TYPE, "").endswith("DynamicListExtInfo"):
            _dynamic_list(node, part)
    return node


def _additional_columns(element: Element) -> list[Node]:
    table = next((data_path(part) for part in _parts(element, "tablePath")), "")
    columns = [_value("FormAttributeColumn", part) for part in _parts(element, "columns")]
    for column in columns:
        column.properties = {"Table": table} if table else {}
    return columns


def _dynamic_list(node: Node, settings: Element) -> None:
    parts = {LOCAL[part.tag]: part.text or "" for part in settings}
    if main_table := parts.get("mainTable", "").strip():
        node.links.append(Link("MainTable", main_table))
    if (query := parts.get("queryText", "")).strip():
        node.queries.append(query)


def _command(element: Element) -> Node:
    node = Node("FormCommand", _name(element), synonym=_title(element))
    _tooltip(node, element)
    for action in _parts(element, "action"):
        for handler in _parts(action, "handler"):
            texts = {LOCAL[part.tag]: text_of(part) for part in handler}
            if name := texts.get("name"):
                node.links.append(
                    Link("CommandHandler", f"@.Module.{name}", "", _call_type(texts.get("callType")))
                )
    node.links += _functional_options(element)
    return node


def _parameter(element: Element) -> Node:
    node = _value("FormParameter", element)
    if any(part.text == "true" for part in _parts(element, "keyParameter")):
        node.properties["KeyParameter"] = True
    return node
