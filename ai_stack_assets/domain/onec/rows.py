"""The rows that one node gives: itself, its references, modules and queries. Ids of nodes are known here,
and made unique; which nodes there are, and how several files make one, is `assembly`'s business.

References keep the source's words: whether a target exists, and what a `*` in it stands for, only the whole
configuration can tell (`target_kind` here is what the kind of link promises)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from ai_stack_assets.domain.onec.kinds import module_kind
from ai_stack_assets.domain.onec.model import EMPTY_LIST, EMPTY_OBJECT, Node
from ai_stack_assets.domain.onec.places import CONFIGURATION
from ai_stack_assets.domain.onec.properties import FILLED
from ai_stack_assets.domain.onec.tables import FieldRow, ObjectRow, ReferenceRow, RejectedRow
from ai_stack_assets.domain.onec.types import type_targets

_encode = msgspec.json.Encoder(order="sorted").encode

_TYPE_LINKS = {
    "DefinedType": "DefinedType",
    "ChartOfCharacteristicTypes": "CharacteristicType",
    "Command": "CommandParameter",
    "CommonCommand": "CommandParameter",
    "EventSubscription": "SubscriptionSource",
}

_METHOD_LINKS = {
    "SubscriptionHandler",
    "ScheduledJobMethod",
    "HTTPHandler",
    "WebServiceHandler",
    "ChannelHandler",
    "FormHandler",
    "ItemHandler",
    "CommandHandler",
    "RoutePointHandler",
}
"""Kinds of reference whose target is a method."""

_EXTENDED = "ExtendedConfigurationObject"


class ModuleStub(NamedTuple):
    """A module before its code is read. The flags are those of a common module, null for others."""

    id: str
    kind: str
    object_id: str
    path: str
    is_server: bool | None = None
    is_client_managed: bool | None = None
    is_client_ordinary: bool | None = None
    is_external_connection: bool | None = None
    is_server_call: bool | None = None
    is_global: bool | None = None
    is_privileged: bool | None = None
    return_values_reuse: str | None = None


_FLAGS = {
    "is_server": "Server",
    "is_client_managed": "ClientManagedApplication",
    "is_client_ordinary": "ClientOrdinaryApplication",
    "is_external_connection": "ExternalConnection",
    "is_server_call": "ServerCall",
    "is_global": "Global",
    "is_privileged": "Privileged",
}


class MetadataQuery(NamedTuple):
    """A query text that lives in metadata. `source`: `dynamic_list` or `data_composition`."""

    place_id: str
    object_id: str
    source: str
    text: str


@dataclass
class GroupRows:
    objects: list[ObjectRow] = field(default_factory=list)
    fields: list[FieldRow] = field(default_factory=list)
    references: list[ReferenceRow] = field(default_factory=list)
    modules: list[ModuleStub] = field(default_factory=list)
    queries: list[MetadataQuery] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)

    def sort(self) -> None:
        for rows in vars(self).values():
            rows.sort(key=lambda row: row[0])


class RowWriter:
    """Collects the rows of one group."""

    def __init__(self) -> None:
        self._rows = GroupRows()
        self._references: dict[str, ReferenceRow] = {}
        self._seen: Counter[str] = Counter()
        self._rejections: Counter[str] = Counter()

    def finish(self) -> GroupRows:
        self._rows.references = list(self._references.values())
        self._rows.sort()
        return self._rows

    def has(self, row_id: str) -> bool:
        return row_id.casefold() in self._seen

    def object(self, node: Node, object_id: str, owner_id: str | None, path: str) -> str:
        """Returns the id that the object got."""
        object_id = self._unique(object_id, path)
        properties = _properties(node)
        if node.types != EMPTY_LIST:
            properties = {**properties, "Types": msgspec.Raw(node.types.encode())}
        self._rows.objects.append(
            ObjectRow(
                id=object_id,
                kind=node.kind,
                name=node.name,
                uuid=node.uuid,
                synonym=node.synonym,
                comment=node.comment,
                owner_id=owner_id,
                belonging="adopted" if node.is_adopted else "own",
                properties=_encode(properties).decode() if properties else EMPTY_OBJECT,
                path=path,
            )
        )
        self._links(node, object_id, object_id)
        self._queries(node, object_id, object_id, "data_composition")
        return object_id

    def field(
        self, node: Node, field_id: str, object_id: str, parent_id: str | None, position: int, path: str
    ) -> str:
        """Returns the id that the field got. `path` is where a repeated name is reported."""
        field_id = self._unique(field_id, path)
        properties = _properties(node)
        self._rows.fields.append(
            FieldRow(
                id=field_id,
                kind=node.kind,
                name=node.name,
                uuid=node.uuid,
                object_id=object_id,
                parent_id=parent_id,
                position=position,
                synonym=node.synonym,
                comment=node.comment,
                types=node.types,
                data_path=node.data_path,
                belonging="adopted" if node.is_adopted else "own",
                properties=_encode(properties).decode() if properties else EMPTY_OBJECT,
            )
        )
        self._links(node, field_id, object_id)
        self._queries(node, field_id, object_id, "dynamic_list")
        return field_id

    def modules(self, node: Node, object_id: str, found: list[tuple[str, str]]) -> None:
        """The modules of an object, from paths and stems of their files. A common module is one even
        without a file."""
        flags: dict[str, Any] = {}
        if node.kind == "CommonModule":
            flags = {name: bool(node.properties.get(flag, False)) for name, flag in _FLAGS.items()}
            flags["return_values_reuse"] = node.properties.get("ReturnValuesReuse", "DontUse")
            found = found or [("", "Module")]
        for path, stem in found:
            kind = module_kind(node.kind, stem)
            self._rows.modules.append(ModuleStub(f"{object_id}.{stem}", kind, object_id, path, **flags))

    def reject(self, path: str, reason: str, message: str, *, is_lost: bool = True) -> None:
        row_id = f"{path}#{reason}"
        self._rejections[row_id] += 1
        if (number := self._rejections[row_id]) > 1:
            row_id = f"{row_id}#{number}"
        self._rows.rejected.append(RejectedRow(row_id, path, reason, message, None, None, is_lost))

    def _unique(self, row_id: str, path: str) -> str:
        """The id; with `~2` (and a rejected row) when another one differs by case at most: names have no
        case."""
        key = row_id.casefold()
        self._seen[key] += 1
        if self._seen[key] == 1:
            return row_id
        self.reject(path, "duplicate_id", f"{row_id} is there already, apart from case", is_lost=False)
        return f"{row_id}~{self._seen[key]}"

    def _queries(self, node: Node, place_id: str, object_id: str, source: str) -> None:
        for text in node.queries:
            self._rows.queries.append(MetadataQuery(place_id, object_id, source, text))

    def _links(self, node: Node, own_id: str, object_id: str) -> None:
        if node.types != EMPTY_LIST:
            kind = _TYPE_LINKS.get(node.kind, "FieldType")
            detail = node.properties.get("Event", "") if kind == "SubscriptionSource" else ""
            for target in type_targets(node.types):
                self._reference(kind, own_id, object_id, target, detail)
        for link in node.links:
            target = link.target
            if target[:1] == "@":
                target = object_id + target[1:]
            self._reference(link.kind, own_id, object_id, target, link.detail, link.properties)
        if node.is_adopted and node.kind != CONFIGURATION:
            self._reference("ExtendedObject", own_id, object_id, f"extended:{own_id}")

    def _reference(
        self,
        kind: str,
        source_id: str,
        object_id: str,
        target: str,
        detail: str = "",
        properties: str = EMPTY_OBJECT,
    ) -> None:
        row_id = f"{source_id}>{kind}>{target}>{detail}" if detail else f"{source_id}>{kind}>{target}"
        promised = "method" if kind in _METHOD_LINKS else "object" if target.count(".") == 1 else "field"
        self._references[row_id] = ReferenceRow(
            row_id, kind, source_id, object_id, target, promised, detail, properties
        )


def _properties(node: Node) -> dict[str, Any]:
    filled = FILLED.get(node.kind)
    properties = {**filled, **node.properties} if filled and not node.is_adopted else node.properties
    if _EXTENDED in properties:
        # only a Designer dump has it for every adopted object: it would make equal configurations differ
        properties = {name: value for name, value in properties.items() if name != _EXTENDED}
    return properties
