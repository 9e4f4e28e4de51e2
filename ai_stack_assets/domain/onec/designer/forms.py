"""The content of a managed form in a Designer dump: `Forms/<name>/Ext/Form.xml`.

Items of command bars and context menus are kept too, marked by `Place`; the bars themselves, tooltips and
search additions are not. `BaseForm` (an adopted form's copy of the original) is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.data_paths import DataPaths
from ai_stack_assets.domain.onec.designer.values import localized, localized_text, names_in, value_types
from ai_stack_assets.domain.onec.model import Link, Node, Rejection
from ai_stack_assets.domain.onec.xml import LOCAL, XSI_TYPE, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_BARS = {"AutoCommandBar": "CommandBar", "ContextMenu": "ContextMenu"}


def read_form(data: bytes) -> Node:
    root = parse(data)
    if LOCAL[root.tag] != "Form":
        raise Rejection("unexpected_xml", f"<{LOCAL[root.tag]}> is no form", root.sourceline)
    form = Node("Form")
    items: list[Node] = []
    attributes: list[Node] = []
    others: list[Node] = []
    for part in root:
        tag = LOCAL[part.tag]
        if tag == "ChildItems":
            items += [_item(element, "") for element in part]
        elif tag in _BARS:
            items += _bar_items(part, _BARS[tag])
        elif tag == "Attributes":
            attributes = [_attribute(element) for element in part if LOCAL[element.tag] == "Attribute"]
        elif tag == "Commands":
            others += [_command(element) for element in part]
        elif tag == "Parameters":
            others += [_parameter(element) for element in part]
        elif tag == "Events":
            form.links += _handlers(part, "FormHandler")
        elif tag == "Title" and (title := localized(part)):
            form.properties["Title"] = title
    link_data_paths(items, attributes)
    form.children = [*attributes, *others, *items]
    return form


def link_data_paths(items: list[Node], attributes: list[Node]) -> None:
    """Add to each item the link to what its data path leads to."""
    flat = list(_flatten(items))
    paths = DataPaths(attributes, {item.name: item.data_path for item in flat if item.data_path})
    for item in flat:
        if item.data_path and (target := paths.target(item.data_path)):
            item.links.append(Link("DataPath", target, item.data_path))


def _flatten(items: list[Node]):
    for item in items:
        yield item
        yield from _flatten(item.children)


# ---- items


def _item(element: Element, place: str) -> Node:
    kind = LOCAL[element.tag]
    properties = {"ItemType": "SpreadsheetDocumentField" if kind == "SpreadSheetDocumentField" else kind}
    if place:
        properties["Place"] = place
    item = Node("FormItem", element.get("name", ""), properties=properties)
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "ChildItems":
            item.children += [_item(child, place) for child in part]
        elif tag in _BARS:
            if len(part):
                item.children += _bar_items(part, _BARS[tag])
        elif tag in _ITEM_PARTS:
            _item_part(item, tag, part)
    return item


def _bar_items(bar: Element, place: str) -> list[Node]:
    return [_item(child, place) for part in bar if LOCAL[part.tag] == "ChildItems" for child in part]


_ITEM_PARTS = {"DataPath", "Title", "ToolTip", "Events", "CommandName", "FunctionalOptions"}


def _item_part(item: Node, tag: str, part: Element) -> None:
    if tag == "DataPath":
        item.data_path = text_of(part)
    elif tag == "Title":
        item.synonym = localized_text(part)
    elif tag == "ToolTip":
        if tooltip := localized(part):
            item.properties[tag] = tooltip
    elif tag == "Events":
        item.links += _handlers(part, "ItemHandler")
    elif tag == "CommandName":
        if target := item_command(text_of(part)):
            item.links.append(Link("ItemCommand", target))
    else:
        item.links += _functional_options(part)


def item_command(name: str) -> str | None:
    """`Form.Command.Загрузить` → `@.Command.Загрузить`; a command of an object stays; standard commands
    give None."""
    if ".StandardCommand." in name or not name or name == "0":
        return None
    if name.startswith("Form.Command."):
        return f"@.{name[5:]}"
    return name


def _handlers(events: Element, kind: str) -> list[Link]:
    return [
        Link(kind, f"@.Module.{text_of(event)}", event.get("name", ""), _call_type(event))
        for event in events
        if text_of(event)
    ]


def _call_type(element: Element) -> str:
    call_type = element.get("callType")
    return f'{{"CallType":"{call_type}"}}' if call_type else "{}"


def _functional_options(element: Element) -> list[Link]:
    return [Link("FunctionalOptionUse", name) for name in names_in(element)]


# ---- attributes, commands, parameters


def _attribute(element: Element) -> Node:
    node = Node("FormAttribute", element.get("name", ""))
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Type":
            node.types = value_types(part)
        elif tag == "Title":
            node.synonym = localized_text(part)
        elif tag == "MainAttribute" and part.text == "true":
            node.properties["MainAttribute"] = True
        elif tag == "Columns":
            node.children += _columns(part)
        elif tag == "Settings" and part.get(XSI_TYPE, "").endswith("DynamicList"):
            _dynamic_list(node, part)
        elif tag == "FunctionalOptions":
            node.links += _functional_options(part)
    return node


def _columns(element: Element) -> list[Node]:
    columns = []
    for part in element:
        if LOCAL[part.tag] == "Column":
            columns.append(_column(part, ""))
        else:
            table = part.get("table", "")
            columns += [_column(column, table) for column in part if LOCAL[column.tag] == "Column"]
    return columns


def _column(element: Element, table: str) -> Node:
    properties = {"Table": table} if table else {}
    node = Node("FormAttributeColumn", element.get("name", ""), properties=properties)
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Type":
            node.types = value_types(part)
        elif tag == "Title":
            node.synonym = localized_text(part)
        elif tag == "FunctionalOptions":
            node.links += _functional_options(part)
    return node


def _dynamic_list(node: Node, settings: Element) -> None:
    parts = {LOCAL[part.tag]: part.text or "" for part in settings}
    if main_table := parts.get("MainTable", "").strip():
        node.links.append(Link("MainTable", main_table))
    if (query := parts.get("QueryText", "")).strip():
        node.queries.append(query)


def _command(element: Element) -> Node:
    node = Node("FormCommand", element.get("name", ""))
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Title":
            node.synonym = localized_text(part)
        elif tag == "Action" and text_of(part):
            node.links.append(Link("CommandHandler", f"@.Module.{text_of(part)}", "", _call_type(part)))
        elif tag == "ToolTip" and (tooltip := localized(part)):
            node.properties[tag] = tooltip
        elif tag == "FunctionalOptions":
            node.links += _functional_options(part)
    return node


def _parameter(element: Element) -> Node:
    node = Node("FormParameter", element.get("name", ""))
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Type":
            node.types = value_types(part)
        elif tag == "KeyParameter" and part.text == "true":
            node.properties["KeyParameter"] = True
    return node
