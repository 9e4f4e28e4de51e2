"""From the facts of one group's files to rows: ids are made here, and the parts of a thing that lie in several files joined.
The same for both layouts; pure.

A group is one top-level object with all that it owns. References keep the source's words: whether a target exists, and what
a `*` in it stands for, only the whole configuration can tell (`target_kind` here is what the kind of link promises).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from ai_stack_assets.domain.onec.data_paths import column_path
from ai_stack_assets.domain.onec.kinds import BY_FOLDER, BY_NAME, CHILD_OBJECTS, module_kind
from ai_stack_assets.domain.onec.layout import CONFIGURATION, EXTERNAL_FOLDERS, Root, place_of
from ai_stack_assets.domain.onec.model import EMPTY_LIST, EMPTY_OBJECT, FileFacts, Link, Node
from ai_stack_assets.domain.onec.properties import FILLED
from ai_stack_assets.domain.onec.tables import FieldRow, ObjectRow, ReferenceRow, RejectedRow
from ai_stack_assets.domain.onec.types import type_targets

_encode = msgspec.json.Encoder(order="sorted").encode

_OBJECT_KINDS = {*BY_NAME, *CHILD_OBJECTS, *EXTERNAL_FOLDERS.values(), CONFIGURATION}

_SEGMENTS = {
    # kind of node: its word in ids, where it is not the kind itself
    "FormAttribute": "Attribute",
    "FormAttributeColumn": "Column",
    "FormCommand": "Command",
    "FormItem": "Item",
    "FormParameter": "Parameter",
    "RecalculationDimension": "Dimension",
}
_FLAT = {"FormItem", "PredefinedItem"}
"""Nested, but with names unique within the object: their ids do not repeat the nesting, so moving one keeps its id."""

_OWN_FILE = {*CHILD_OBJECTS} - {"Command"}
"""Children that are only named by their owner when they have files of their own (then the name bears no uuid)."""

_TYPE_LINKS = {
    "DefinedType": "DefinedType",
    "ChartOfCharacteristicTypes": "CharacteristicType",
    "Command": "CommandParameter",
    "CommonCommand": "CommandParameter",
    "EventSubscription": "SubscriptionSource",
}

_EXTENDED = "ExtendedConfigurationObject"

METHOD_LINKS = {
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


_FLAGS = (
    "Server",
    "ClientManagedApplication",
    "ClientOrdinaryApplication",
    "ExternalConnection",
    "ServerCall",
    "Global",
    "Privileged",
)


class MetadataQuery(NamedTuple):
    """A query text that lives in metadata."""

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


def assemble(root: Root, group: str, facts: dict[str, FileFacts | Any]) -> GroupRows:
    """The rows of one group, sorted by id.

    Args:
        root: the configuration.
        group: as `SourceFile.group`.
        facts: by path, what `parse_file` gave; for modules anything (None). Files that were rejected are left out.
    """
    return _Assembly(root, group, facts).rows()


class _Files:
    """The files that tell about one thing."""

    def __init__(self, owner_id: str) -> None:
        self.owner_id = owner_id
        self.definition: tuple[str, Node] | None = None
        self.parts: list[Node] = []
        self.modules: list[tuple[str, str]] = []
        """Path and stem."""
        self.paths: list[str] = []


class _Assembly:
    def __init__(self, root: Root, group: str, facts: dict[str, Any]) -> None:
        self.root, self.group = root, group
        self.result = GroupRows()
        self.files: dict[str, _Files] = {}
        """By id without case: paths may differ in case from the names inside the files. Taken out when used."""
        self.seen: Counter[str] = Counter()
        self.references: dict[str, ReferenceRow] = {}
        for path in sorted(facts):
            place = place_of(root.kind, path)
            owner_id = place.owner_id or root.id
            files = self.files.setdefault(owner_id.casefold(), _Files(owner_id))
            files.paths.append(path)
            if place.module:
                files.modules.append((path, place.module))
            elif place.is_definition:
                files.definition = (path, facts[path])
            else:
                files.parts.append(facts[path])

    def rows(self) -> GroupRows:
        kind, top_id = self._top()
        is_external = self.root.kind in EXTERNAL_FOLDERS.values()
        top = self.files.get(top_id.casefold())
        is_complete = top is not None and top.definition is not None
        owner_id = None if kind == CONFIGURATION or is_external else self.root.id
        self._object(Node(kind, top_id.partition(".")[2]), top_id, owner_id, "")
        for key in sorted(self.files):
            if files := self.files.get(key):
                self._left_over(files, is_complete)
        self.result.references = list(self.references.values())
        for rows in vars(self.result).values():
            rows.sort(key=lambda row: row[0])
        return self.result

    def _top(self) -> tuple[str, str]:
        """Kind and id of the group's own object."""
        folder, _, name = self.group.partition("/")
        if folder == CONFIGURATION:
            return CONFIGURATION, self.root.id
        kind = BY_FOLDER[folder].name if folder in BY_FOLDER else EXTERNAL_FOLDERS[folder]
        return kind, place_of(self.root.kind, f"{folder}/{name}/").owner_id

    def _left_over(self, files: _Files, is_complete: bool) -> None:
        """Files of something that nothing names: ignored by the platform too. But when the file that would name it was
        rejected, it is kept, below a bare owner."""
        if not is_complete:
            self._bare(files.owner_id)
            return
        for path in files.paths:
            self._reject(path, "unlisted_object", f"nothing lists {files.owner_id}, so it is not part of it")

    def _bare(self, object_id: str) -> None:
        owner_id, kind, name = object_id.rsplit(".", 2)
        if owner_id.casefold() not in self.seen:
            self._bare(owner_id)
        self._object(Node(kind, name), object_id, owner_id, "")

    # ---- rows

    def _object(self, node: Node, object_id: str, owner_id: str | None, path: str) -> None:
        files = self.files.pop(object_id.casefold(), None) or _Files(object_id)
        if files.definition:
            path, node = files.definition
            head, _, last = object_id.rpartition(".")
            if node.name != last and node.name.casefold() == last.casefold():
                object_id = f"{head}.{node.name}"
        if files.parts:
            node = _merged(node, files.parts)
        object_id = self._unique(object_id, path)
        properties = self._properties(node)
        if node.types != EMPTY_LIST:
            properties = {**properties, "Types": msgspec.Raw(node.types.encode())}
        self.result.objects.append(
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
        self._modules(node, object_id, files.modules)
        self.result.queries += [
            MetadataQuery(object_id, object_id, "data_composition", text) for text in node.queries
        ]
        self._children(node, object_id, object_id, None, path)

    def _children(self, node: Node, parent_id: str, object_id: str, field_id: str | None, path: str) -> None:
        positions: Counter[str] = Counter()
        for child in node.children:
            if child.kind == "Dimension" and node.kind == "Recalculation":
                # not a dimension of a register, but a link to one
                child = msgspec.structs.replace(child, kind="RecalculationDimension")
            kind = child.kind
            if kind in _OBJECT_KINDS:
                # languages of an EDT project are children of the configuration, but are named as top-level objects
                own_id = (
                    f"{kind}.{child.name}"
                    if kind in BY_NAME and kind != "Subsystem"
                    else f"{parent_id}.{kind}.{child.name}"
                )
                if kind in _OWN_FILE and not child.uuid and own_id.casefold() not in self.files:
                    self._reject(path, "missing_file", f"{own_id} is listed, but has no readable file")
                else:
                    self._object(child, own_id, object_id, path)
            else:
                self._field(child, parent_id, object_id, field_id, positions[kind], path)
                positions[kind] += 1

    def _field(
        self, node: Node, parent_id: str, object_id: str, field_id: str | None, position: int, path: str
    ) -> None:
        kind = node.kind
        name = column_path(node) if kind == "FormAttributeColumn" else node.name
        base = object_id if kind in _FLAT else parent_id
        own_id = self._unique(f"{base}.{_SEGMENTS.get(kind, kind)}.{name}", path)
        properties = self._properties(node)
        self.result.fields.append(
            FieldRow(
                id=own_id,
                kind=kind,
                name=node.name,
                uuid=node.uuid,
                object_id=object_id,
                parent_id=field_id,
                position=position,
                synonym=node.synonym,
                comment=node.comment,
                types=node.types,
                data_path=node.data_path,
                belonging="adopted" if node.is_adopted else "own",
                properties=_encode(properties).decode() if properties else EMPTY_OBJECT,
            )
        )
        self._links(node, own_id, object_id)
        if node.queries:
            self.result.queries += [
                MetadataQuery(own_id, object_id, "dynamic_list", text) for text in node.queries
            ]
        if node.children:
            self._children(node, own_id, object_id, own_id, path)

    def _properties(self, node: Node) -> dict[str, Any]:
        filled = FILLED.get(node.kind)
        properties = {**filled, **node.properties} if filled and not node.is_adopted else node.properties
        if _EXTENDED in properties:
            # only a Designer dump has it for every adopted object: it would make equal configurations differ
            properties = {name: value for name, value in properties.items() if name != _EXTENDED}
        return properties

    def _unique(self, own_id: str, path: str) -> str:
        """The id; with `~2` (and a rejected row) when another one differs from it by case at most: names have no case."""
        key = own_id.casefold()
        self.seen[key] += 1
        if self.seen[key] == 1:
            return own_id
        self._reject(path, "duplicate_id", f"{own_id} is there already, apart from case", is_lost=False)
        return f"{own_id}~{self.seen[key]}"

    def _reject(self, path: str, reason: str, message: str, *, is_lost: bool = True) -> None:
        number = sum(row.path == path and row.reason == reason for row in self.result.rejected)
        row_id = f"{path}#{reason}" + (f"#{number + 1}" if number else "")
        self.result.rejected.append(RejectedRow(row_id, path, reason, message, None, None, is_lost))

    # ---- links and modules

    def _links(self, node: Node, own_id: str, object_id: str) -> None:
        if node.types != EMPTY_LIST:
            kind = _TYPE_LINKS.get(node.kind, "FieldType")
            detail = node.properties.get("Event", "") if kind == "SubscriptionSource" else ""
            for target in type_targets(node.types):
                self._reference(kind, own_id, object_id, target, detail, EMPTY_OBJECT)
        for link in node.links:
            target = link.target
            if target[:1] == "@":
                target = object_id + target[1:]
            self._reference(link.kind, own_id, object_id, target, link.detail, link.properties)
        if node.is_adopted and node.kind != CONFIGURATION:
            self._reference("ExtendedObject", own_id, object_id, f"extended:{own_id}", "", EMPTY_OBJECT)

    def _reference(
        self, kind: str, source_id: str, object_id: str, target: str, detail: str, properties: str
    ) -> None:
        row_id = f"{source_id}>{kind}>{target}>{detail}" if detail else f"{source_id}>{kind}>{target}"
        if kind in METHOD_LINKS:
            target_kind = "method"
        else:
            target_kind = "object" if target.count(".") == 1 else "field"
        self.references[row_id] = ReferenceRow(
            row_id, kind, source_id, object_id, target, target_kind, detail, properties
        )

    def _modules(self, node: Node, object_id: str, found: list[tuple[str, str]]) -> None:
        flags: tuple[Any, ...] = ()
        if node.kind == "CommonModule":
            flags = (
                *(bool(node.properties.get(flag, False)) for flag in _FLAGS),
                node.properties.get("ReturnValuesReuse", "DontUse"),
            )
            if not found:
                self.result.modules.append(
                    ModuleStub(f"{object_id}.Module", "CommonModule", object_id, "", *flags)
                )
        for path, stem in found:
            kind = module_kind(node.kind, stem)
            self.result.modules.append(ModuleStub(f"{object_id}.{stem}", kind, object_id, path, *flags))


def _merged(node: Node, parts: list[Node]) -> Node:
    """The node with what other files tell about it."""
    return Node(
        kind=node.kind,
        name=node.name,
        uuid=node.uuid,
        synonym=node.synonym,
        comment=node.comment,
        is_adopted=node.is_adopted,
        types=node.types,
        properties={name: value for source in (node, *parts) for name, value in source.properties.items()},
        links=[link for source in (node, *parts) for link in source.links],
        queries=[text for source in (node, *parts) for text in source.queries],
        children=[child for source in (node, *parts) for child in source.children],
    )


__all__ = ["METHOD_LINKS", "GroupRows", "Link", "MetadataQuery", "ModuleStub", "assemble"]
