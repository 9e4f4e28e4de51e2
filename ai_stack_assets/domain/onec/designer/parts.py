"""Small files beside an object of a Designer dump: predefined items, exchange plan content, job schedules,
help, command interface, flowchart. Each tells more about the object that its path names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.designer.values import names_in, value_types
from ai_stack_assets.domain.onec.model import Link, Node
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def read_predefined(data: bytes) -> Node:
    """`Ext/Predefined.xml` of catalogs and charts: a tree of named items."""
    items = [_predefined(item) for item in parse(data) if LOCAL[item.tag] == "Item"]
    return Node("", children=items)


_PREDEFINED_TEXT = {"Code", "Description", "AccountType", "Order"}
_PREDEFINED_FLAGS = {"IsFolder", "OffBalance", "ActionPeriodIsBase"}


def _predefined(element: Element) -> Node:
    uuid = (element.get("id") or "").lower()
    node = Node("PredefinedItem", uuid=uuid)
    for part in element:
        tag = LOCAL[part.tag]
        if tag == "Name":
            node.name = text_of(part)
        elif tag == "ChildItems":
            node.children += [_predefined(child) for child in part]
        elif tag == "Type":
            node.types = value_types(part)
        elif tag in _PREDEFINED_TEXT and part.text:
            node.properties[tag] = part.text
        elif tag in _PREDEFINED_FLAGS and part.text == "true":
            node.properties[tag] = True
        elif tag == "AccountingFlags":
            node.links += [
                Link("AccountingFlag", flag.get("ref", "")) for flag in part if flag.text == "true"
            ]
        elif tag == "ExtDimensionTypes":
            node.links += [
                Link("ExtDimensionTypes", item_id(kind.get("name", ""))) for kind in part if kind.get("name")
            ]
        elif tag in ("Base", "Displaced", "Leading"):
            node.links += [Link("BaseCalculationTypes", item_id(name), tag) for name in names_in(part)]
    return node


def item_id(name: str) -> str:
    """`ChartOfAccounts.Основной.Товары` → `ChartOfAccounts.Основной.PredefinedItem.Товары`: the item's id."""
    chart, _, item = name.rpartition(".")
    return f"{chart}.PredefinedItem.{item}"


def read_content(data: bytes) -> Node:
    """`Ext/Content.xml` of an exchange plan: what is exchanged, and whether changes are registered
    automatically."""
    links = []
    for item in parse(data):
        parts = {LOCAL[part.tag]: text_of(part) for part in item}
        if metadata := parts.get("Metadata"):
            links.append(Link("ExchangePlanContent", metadata, parts.get("AutoRecord", "")))
    return Node("ExchangePlan", links=links)


def read_schedule(data: bytes) -> Node:
    """`Ext/Schedule.xml` of a scheduled job; zeros and empty dates are left out."""
    root = parse(data)
    schedule: dict[str, Any] = {}
    for element in root:
        for name, value in element.attrib.items():
            if (kept := schedule_value(name, value)) is not None:
                schedule[LOCAL[name]] = kept
        for part in element:
            if text := text_of(part):
                schedule[LOCAL[part.tag]] = [int(n) if n.isdecimal() else n for n in text.split()]
    return Node("ScheduledJob", properties={"Schedule": schedule} if schedule else {})


def schedule_value(name: str, value: str) -> int | str | None:
    """A property of a schedule as it is kept: numbers as such, none for zero, the empty date and midnight."""
    if value.isdecimal():
        return int(value) or None
    is_empty = value.startswith("0001-01-01") or (value == "00:00:00" and name != "BeginTime") or not value
    return None if is_empty else value


def read_help(data: bytes) -> Node:
    """`Ext/Help.xml`: languages that the help exists in."""
    languages = sorted(text_of(page) for page in parse(data) if LOCAL[page.tag] == "Page" and page.text)
    return Node("", properties={"Help": languages} if languages else {})


def read_command_interface(data: bytes) -> Node:
    """`Ext/CommandInterface.xml` of a subsystem or of the configuration: commands hidden from, or shown in,
    its section."""
    links = []
    for part in parse(data):
        if LOCAL[part.tag] == "CommandsVisibility":
            for command in part:
                is_visible = any(name == "true" for visibility in command for name in names_in(visibility))
                name = command.get("name", "")
                links.append(Link("CommandVisibility", name, "Visible" if is_visible else "Hidden"))
    return Node("", links=links)
