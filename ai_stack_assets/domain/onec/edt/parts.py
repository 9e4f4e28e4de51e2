"""Small parts of an EDT object: predefined items and help (inside the `.mdo`), and the files beside it:
schedules of jobs, command interfaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.onec.designer.parts import item_id, schedule_value
from ai_stack_assets.domain.onec.designer.values import names_in
from ai_stack_assets.domain.onec.edt.values import value_types
from ai_stack_assets.domain.onec.model import Link, Node
from ai_stack_assets.domain.onec.xml import LOCAL, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_TEXTS = {"code": "Code", "description": "Description", "accountType": "AccountType", "order": "Order"}
_FLAGS = {"isFolder": "IsFolder", "offBalance": "OffBalance", "actionPeriodIsBase": "ActionPeriodIsBase"}
_CALCULATION_LINKS = {"base": "Base", "displaced": "Displaced", "leading": "Leading"}
_ORDINALS = {
    name: number
    for names in (
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    )
    for number, name in enumerate(names, 1)
}


def read_predefined(element: Element) -> list[Node]:
    """`<predefined>` of catalogs and charts: a tree of items; whatever has an `id` is one."""
    is_accounts = LOCAL[next(element.iterancestors()).tag] == "ChartOfAccounts"
    return [_predefined(item, is_accounts) for item in element if item.get("id")]


def _predefined(element: Element, is_account: bool) -> Node:
    node = Node("PredefinedItem", uuid=(element.get("id") or "").lower())
    if is_account:
        node.properties["AccountType"] = "Active"  # the first of EDT's list, so it is never written
    for part in element:
        tag = LOCAL[part.tag]
        if part.get("id"):
            node.children.append(_predefined(part, is_account))
        elif tag == "name":
            node.name = text_of(part)
        elif tag == "type" and len(part):
            node.types = value_types(part)
        elif tag in _TEXTS:
            # a code is text, or a value: `<code xsi:type="core:StringValue"><value>001</value></code>`
            text = (part[0].text if len(part) else part.text) or ""
            if text:
                node.properties[_TEXTS[tag]] = text
        elif tag in _FLAGS:
            if part.text == "true":
                node.properties[_FLAGS[tag]] = True
        elif tag == "accountingFlags":
            node.links += [Link("AccountingFlag", name) for name in names_in(part)]
        elif tag == "extDimensionTypes":
            node.links += [
                Link("ExtDimensionTypes", item_id(text_of(kind)))
                for kind in part
                if LOCAL[kind.tag] == "characteristicType"
            ]
        elif tag in _CALCULATION_LINKS:
            detail = _CALCULATION_LINKS[tag]
            node.links += [Link("BaseCalculationTypes", item_id(name), detail) for name in names_in(part)]
    return node


def help_languages(element: Element) -> list[str]:
    """`<help><pages><lang>ru</lang></pages></help>` → languages that the help exists in."""
    return sorted(
        text_of(language)
        for page in element
        for language in page
        if LOCAL[language.tag] == "lang" and language.text
    )


def read_schedule(data: bytes) -> Node:
    """`Schedule.schedule` of a scheduled job, as the Designer's: days and months are numbers from 1."""
    schedule: dict[str, Any] = {}
    root = parse(data)
    for name, value in root.attrib.items():
        if "}" not in name and (kept := schedule_value(_upper(name), value)) is not None:
            schedule[_upper(name)] = kept
    for part in root:
        if text := text_of(part):
            values = schedule.setdefault(_upper(LOCAL[part.tag]), [])
            values.append(_ORDINALS.get(text, text))
    return Node("ScheduledJob", properties={"Schedule": schedule} if schedule else {})


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def read_command_interface(data: bytes) -> Node:
    """`CommandInterface.cmi` of a subsystem or the configuration: commands hidden or shown in its section."""
    links = []
    for part in parse(data):
        if LOCAL[part.tag] == "commandsVisibility":
            links += [_visibility(fragment) for fragment in part]
    return Node("", links=links)


def _visibility(fragment: Element) -> Link:
    name, is_visible = "", False
    for part in fragment:
        if LOCAL[part.tag] == "command":
            name = text_of(part)
        else:
            is_visible = is_visible or "true" in names_in(part)
    return Link("CommandVisibility", name, "Visible" if is_visible else "Hidden")
