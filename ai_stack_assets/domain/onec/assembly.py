"""From the facts of one group's files to rows: the parts of a thing that lie in several files are joined,
and everything gets its full name. The same for both layouts; pure.

A group is one top-level object with all that it owns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from ai_stack_assets.domain.onec.data_paths import column_path
from ai_stack_assets.domain.onec.kinds import BY_FOLDER, BY_NAME, CHILD_OBJECTS
from ai_stack_assets.domain.onec.layout import Root
from ai_stack_assets.domain.onec.model import FileFacts, Node
from ai_stack_assets.domain.onec.places import CONFIGURATION, EXTERNAL_FOLDERS, place_of
from ai_stack_assets.domain.onec.rows import GroupRows, MetadataQuery, ModuleStub, RowWriter

__all__ = ["GroupRows", "MetadataQuery", "ModuleStub", "assemble"]

_OBJECT_KINDS = {*BY_NAME, *CHILD_OBJECTS, *EXTERNAL_FOLDERS.values(), CONFIGURATION}

_OWN_FILE = {*CHILD_OBJECTS} - {"Command"}
"""Children that are only named by their owner when they have files of their own (then the name bears no
uuid)."""

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
"""Nested, but with names unique within the object: their ids do not repeat the nesting, so moving one keeps
its id."""


def assemble(root: Root, group: str, facts: Mapping[str, FileFacts | None]) -> GroupRows:
    """The rows of one group, sorted by id.

    Args:
        root: the configuration.
        group: as `SourceFile.group`.
        facts: by path, what `parse_file` gave; None for modules. Files that were rejected are left out.
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
    def __init__(self, root: Root, group: str, facts: Mapping[str, Any]) -> None:
        self.root, self.group = root, group
        self.writer = RowWriter()
        self.files: dict[str, _Files] = {}
        """By id without case: paths may differ in case from the names inside the files. Taken out when
        used."""
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
        return self.writer.finish()

    def _top(self) -> tuple[str, str]:
        """Kind and id of the group's own object."""
        folder, _, name = self.group.partition("/")
        if folder == CONFIGURATION:
            return CONFIGURATION, self.root.id
        kind = BY_FOLDER[folder].name if folder in BY_FOLDER else EXTERNAL_FOLDERS[folder]
        return kind, place_of(self.root.kind, f"{folder}/{name}/").owner_id

    def _left_over(self, files: _Files, is_complete: bool) -> None:
        """Files of something that nothing names: ignored by the platform too. But when the file that would
        name it was rejected, it is kept, below a bare owner."""
        if not is_complete:
            self._bare(files.owner_id)
            return
        for path in files.paths:
            message = f"nothing lists {files.owner_id}, so it is not part of it"
            self.writer.reject(path, "unlisted_object", message)

    def _bare(self, object_id: str) -> None:
        owner_id, kind, name = object_id.rsplit(".", 2)
        if not self.writer.has(owner_id):
            self._bare(owner_id)
        self._object(Node(kind, name), object_id, owner_id, "")

    def _object(self, node: Node, object_id: str, owner_id: str | None, path: str) -> None:
        files = self.files.pop(object_id.casefold(), None) or _Files(object_id)
        if files.definition:
            path, node = files.definition
            head, _, last = object_id.rpartition(".")
            if node.name != last and node.name.casefold() == last.casefold():
                object_id = f"{head}.{node.name}"
        if files.parts:
            node = _merged(node, files.parts)
        object_id = self.writer.object(node, object_id, owner_id, path)
        self.writer.modules(node, object_id, files.modules)
        self._children(node, object_id, object_id, None, path)

    def _children(self, node: Node, parent_id: str, object_id: str, field_id: str | None, path: str) -> None:
        positions: Counter[str] = Counter()
        for child in node.children:
            if child.kind == "Dimension" and node.kind == "Recalculation":
                # not a dimension of a register, but a link to one
                child = msgspec.structs.replace(child, kind="RecalculationDimension")
            kind = child.kind
            if kind in _OBJECT_KINDS:
                self._child_object(child, parent_id, object_id, path)
                continue
            base = object_id if kind in _FLAT else parent_id
            name = column_path(child) if kind == "FormAttributeColumn" else child.name
            own_id = f"{base}.{_SEGMENTS.get(kind, kind)}.{name}"
            own_id = self.writer.field(child, own_id, object_id, field_id, positions[kind], path)
            positions[kind] += 1
            if child.children:
                self._children(child, own_id, object_id, own_id, path)

    def _child_object(self, child: Node, parent_id: str, object_id: str, path: str) -> None:
        own_id = f"{child.kind}.{child.name}"
        # languages of an EDT project are children of the configuration, but are named as top-level objects
        if child.kind not in BY_NAME or child.kind == "Subsystem":
            own_id = f"{parent_id}.{own_id}"
        if child.kind in _OWN_FILE and not child.uuid and own_id.casefold() not in self.files:
            self.writer.reject(path, "missing_file", f"{own_id} is listed, but has no readable file")
        else:
            self._object(child, own_id, object_id, path)


def _merged(node: Node, parts: list[Node]) -> Node:
    """The node with what other files tell about it."""
    return msgspec.structs.replace(
        node,
        properties={name: value for source in (node, *parts) for name, value in source.properties.items()},
        links=[link for source in (node, *parts) for link in source.links],
        queries=[text for source in (node, *parts) for text in source.queries],
        children=[child for source in (node, *parts) for child in source.children],
    )
