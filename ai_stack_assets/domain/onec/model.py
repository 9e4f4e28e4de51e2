"""The metadata model that both readers produce: what one file says, independent of where it lies. Records
only.

A file gives one `Node`. A node whose `name` is empty tells more about the thing that the file's path names
(a form's content, a role's rights, predefined items); assembly merges it into that thing. Facts depend on
nothing but layout, role and bytes, so they are cached by content. Whatever is equal in both layouts must be
equal here, letter by letter.

Names of things are full English names, as ids in the lake: `Catalog.Валюты.Attribute.Код`. In a link's
target, a leading `@` stands for the id of the nearest object (`objects.id`) around the node:
`@.Module.ПриОткрытии` is a method of the form."""

from __future__ import annotations

from typing import Any

import msgspec

EMPTY_OBJECT = "{}"
EMPTY_LIST = "[]"


class Link(msgspec.Struct, frozen=True, array_like=True):
    """One reference from a node. `kind` is a key of `REFERENCE_KINDS`."""

    kind: str
    target: str
    """Full English name; `@…` relative to the nearest object; `*` for a part whose class only the resolver
    can tell (`Catalog.Валюты.*.Код`: an attribute, a tabular section, a standard attribute…)."""
    detail: str = ""
    properties: str = EMPTY_OBJECT
    """JSON, as in `references.properties`."""


class Node(msgspec.Struct, array_like=True, omit_defaults=True):
    """One metadata object or field, or a part of one (`name` empty, see above). `kind` decides its table:
    top-level kinds and `kinds.CHILD_OBJECTS` are rows of `objects`, all others rows of `fields`."""

    kind: str
    name: str = ""
    uuid: str = ""
    synonym: str = EMPTY_OBJECT
    """JSON object by language code, see `localized_json`."""
    comment: str = ""
    is_adopted: bool = False
    types: str = EMPTY_LIST
    """JSON, see `types.py`. Assembly makes the `FieldType` references of it: readers add no links for
    types."""
    data_path: str = ""
    properties: dict[str, Any] = {}
    """By English 1C name, only those of `properties.py`, defaults left out (`properties.keep`)."""
    links: list[Link] = []
    queries: list[str] = []
    """Query texts that live in this node: a dynamic list in a form attribute, data sets in a template."""
    children: list[Node] = []
    """In document order; within one kind this order is `fields.position`."""


FileFacts = Node


class Rejection(Exception):
    """A file that could not be read. Becomes one row of `rejected`."""

    def __init__(self, reason: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message, self.line, self.column = reason, message, line, column


def localized_json(texts: dict[str, str]) -> str:
    """JSON of texts by language code, sorted; empty texts are left out."""
    kept = {language: text for language, text in sorted(texts.items()) if text}
    return msgspec.json.encode(kept).decode() if kept else EMPTY_OBJECT


REFERENCE_KINDS = {
    "ChildObject": "configuration → each entry of its own list of children",
    "FieldType": "field, constant, session parameter… → object that its value type belongs to",
    "DefinedType": "defined type → object that one of its types belongs to",
    "CharacteristicType": "chart of characteristic types → the same",
    "CommandParameter": "command → object that its parameter's type belongs to",
    "SubscriptionSource": "event subscription → object whose event it watches; detail: the event",
    "SubscriptionHandler": "event subscription → method; detail: the event",
    "ScheduledJobMethod": "scheduled job → method",
    "SubsystemContent": "subsystem → object",
    "RoleRight": "role → object, field or command; detail: the granted right; properties: row restrictions",
    "RoleRightDenied": "role → the same; detail: a right that is written down as denied",
    "FunctionalOptionLocation": "functional option → constant or field that holds it",
    "FunctionalOptionContent": "functional option → object or field that depends on it",
    "FunctionalOptionUse": "form attribute, item or command → functional option that shows it",
    "FunctionalOptionsParameterUse": "functional options' parameter → object or dimension",
    "RegisterRecord": "document → register that it writes (its recorder link)",
    "Owner": "catalog → owner",
    "BasedOn": "object → object that it can be entered on the basis of",
    "DefaultForm": "object → form; detail: `DefaultObjectForm`, `AuxiliaryListForm`…",
    "MainDataCompositionSchema": "report → template",
    "SettingsStorage": "report or configuration → settings storage; detail: the property",
    "CommandGroup": "command → command group",
    "ExchangePlanContent": "exchange plan → object; detail: `Allow` or `Deny` (automatic registration)",
    "CommonAttributeContent": "common attribute → object; detail: `Use`, `DontUse` or `Auto`",
    "Separation": "common attribute → what holds its value or switch; detail: the property",
    "FilterCriterionContent": "filter criterion → field",
    "RegisteredDocument": "document journal → document",
    "JournalColumn": "journal column → field of a document",
    "Numerator": "document → document numerator",
    "SequenceDocument": "sequence → document",
    "SequenceRegister": "sequence → register",
    "DimensionMap": "sequence dimension → field of a document or register",
    "ChartOfAccounts": "accounting register → chart of accounts",
    "AccountingFlag": "field of an accounting register → flag of the chart of accounts",
    "ExtDimensionTypes": "chart of accounts → chart of characteristic types",
    "CharacteristicExtValues": "chart of characteristic types → catalog of further values",
    "ChartOfCalculationTypes": "calculation register → chart of calculation types",
    "BaseCalculationTypes": "chart of calculation types → chart whose types are its base",
    "CalculationSchedule": "calculation register or dimension → register or field of a schedule; detail",
    "RecalculationData": "recalculation's dimension → dimension of a register",
    "Task": "business process → task",
    "Addressing": "task or its addressing attribute → register or dimension; detail: the property",
    "XDTOPackage": "web service → package",
    "HTTPHandler": "method of a URL template → method of the service's module",
    "WebServiceHandler": "operation → method of the service's module",
    "ChannelHandler": "channel of an integration service → method of its module",
    "ExtendedObject": "adopted object or field → what it extends: `extended:<id in the other configuration>`",
    "DefaultLanguage": "configuration → language",
    "DefaultRole": "configuration → role",
    "DefaultStyle": "configuration → style",
    "MainTable": "dynamic list (form attribute) → object or its table that it shows",
    "DataPath": "form item → field that it shows; detail: the path as written",
    "FormHandler": "form → method of its module; detail: the event",
    "ItemHandler": "form item → method of the form's module; detail: the event",
    "CommandHandler": "form command → method of the form's module",
    "ItemCommand": "form item (button) → form command, or command of an object",
    "CommandVisibility": "subsystem or configuration → command in its section; detail: `Visible` or `Hidden`",
    "RoutePointHandler": "point of a route → method of the object module; detail: the event",
    "NestedProcess": "point of a route → business process that it runs",
}
"""What each `references.kind` links."""
