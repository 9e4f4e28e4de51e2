"""Where things lie: finding configurations in a folder and listing their files by role. Nothing is read
here but what names a configuration; metadata itself is the readers' business.

    Designer                                     EDT
    Configuration.xml                            Configuration/Configuration.mdo
    Catalogs/Валюты.xml                          Catalogs/Валюты/Валюты.mdo
    Catalogs/Валюты/Ext/ObjectModule.bsl         Catalogs/Валюты/ObjectModule.bsl
    Catalogs/Валюты/Forms/Ф.xml, …/Ф/Ext/Form.xml    Catalogs/Валюты/Forms/Ф/Form.form
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.kinds import CHILD_FOLDERS, EXTERNAL_KINDS
from ai_stack_assets.domain.onec.places import (
    CONFIGURATION,
    EXTERNAL_FOLDERS,
    MODULE_NAMES,
    TOP_FOLDERS,
    name_key,
)
from ai_stack_assets.domain.onec.tables import RejectedRow

_DESIGNER_ROLES = {
    "Form.xml": "form",
    "Rights.xml": "rights",
    "Predefined.xml": "predefined",
    "Template.xml": "template",
    "Schedule.xml": "schedule",
    "Content.xml": "content",
    "Help.xml": "help",
    "CommandInterface.xml": "command_interface",
    "Flowchart.xml": "flowchart",
    "Package.bin": "package",
}
_EDT_ROLES = {
    "Form.form": "form",
    "Rights.rights": "rights",
    "Template.dcs": "template",
    "Schedule.schedule": "schedule",
    "CommandInterface.cmi": "command_interface",
    "Flowchart.scheme": "flowchart",
    "Package.xdto": "package",
}
_UNREAD_KINDS = {
    "CommonPictures",
    "StyleItems",
    "Styles",
    "Languages",
    "WSReferences",
    "DefinedTypes",
}
"""Folders of kinds whose objects have no files of interest but the one that defines them."""


class SourceFile(NamedTuple):
    """One file that the readers want. `blob_hash` is empty: whoever reads the bytes may fill it."""

    path: str
    """Relative to the root, `/` between parts."""
    role: str
    """`object`, `form`, `rights`, `predefined`, `template`, `schedule`, `content`, `help`,
    `command_interface`, `module`."""
    group: str
    """Its top-level object: `Catalogs/Валюты`, `Configuration`."""
    size: int
    mtime_ns: int
    blob_hash: str = ""


@dataclass(frozen=True)
class Root:
    """One configuration, extension, external processor or report."""

    path: Path
    """Folder that paths are relative to."""
    layout: str
    """`designer` or `edt`."""
    kind: str
    """One of `kinds.ROOT_KINDS`."""
    name: str
    children: frozenset[str] = field(default=frozenset(), repr=False, hash=False, compare=False)
    """Groups of the objects that the configuration itself lists; empty when it does not say (an external
    processor)."""

    @property
    def id(self) -> str:
        """`objects.id` of the root: `Configuration.<name>`, `ExternalReport.<name>`."""
        return f"{self.kind if self.kind in EXTERNAL_KINDS else CONFIGURATION}.{self.name}"

    def place(self, folder: Path) -> str:
        """Where it lies below a folder, unlike any other root: external ones share theirs, so they add their own name."""
        path = self.path.relative_to(folder)
        if self.kind in EXTERNAL_KINDS:
            path /= self.name if self.layout == "designer" else f"{self.kind}s/{self.name}"
        return path.as_posix()


def discover(folder: Path) -> list[Root]:
    """All configurations, extensions, external processors and reports in a folder, in order of path.

    Raises:
        PermanentError: there is none.
    """
    from ai_stack_assets.domain.onec.roots import find_roots

    if not folder.is_dir():
        raise PermanentError(f"{folder} is no folder")
    roots = sorted(find_roots(folder), key=lambda root: (root.path.as_posix(), root.kind, root.name))
    if not roots:
        raise PermanentError(
            f"no 1C source in {folder}: looked in all its folders for Configuration.xml (Designer dump),"
            " Configuration/Configuration.mdo (EDT project), external processors and reports in either layout"
        )
    return roots


# ---- listing


def list_files(root: Root) -> tuple[list[SourceFile], list[RejectedRow]]:
    """All files of interest, in order of path, and what must not be read: links that lead out of the root,
    objects that the configuration does not list (left-overs of a merge, ignored by the platform too)."""
    return Walk(root).found()


class Walk:
    """From the entries of a folder; who has them from elsewhere than the file system overrides `_entries`."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.base = str(root.path)
        self.is_edt = root.layout == "edt"
        self.children = {name_key(child) for child in root.children}
        self.files: list[SourceFile] = []
        self.rejected: list[RejectedRow] = []

    def found(self) -> tuple[list[SourceFile], list[RejectedRow]]:
        self._run()
        self.files.sort()
        self._report_twins()
        self.rejected.sort()
        return self.files, self.rejected

    def _run(self) -> None:
        if self.root.kind in EXTERNAL_KINDS:
            self._external()
            return
        for entry in self._entries(""):
            name = entry.name
            if name in TOP_FOLDERS and name not in EXTERNAL_FOLDERS:
                if self._is_folder(entry, name):
                    self._kind_folder(name)
            elif self.is_edt and name == CONFIGURATION:
                self._folder(name, CONFIGURATION)
            elif not self.is_edt and name == "Configuration.xml":
                self._add(entry, name, "object", CONFIGURATION)
            elif not self.is_edt and name == "Ext":
                self._folder(name, CONFIGURATION)

    def _report_twins(self) -> None:
        """Objects whose names differ by case only: the platform takes them for one, a file system may hold
        both."""
        seen: dict[str, str] = {}
        for file in self.files:
            first = seen.setdefault(file.group.casefold(), file.group)
            if file.group != first and file.group not in seen:
                seen[file.group] = file.group
                self._reject(
                    file.path, "duplicate_id", f"{first} is there already, apart from case", is_lost=False
                )

    def _external(self) -> None:
        folder = next(name for name, kind in EXTERNAL_FOLDERS.items() if kind == self.root.kind)
        group = f"{folder}/{self.root.name}"
        if self.is_edt:
            self._folder(group, group)
            return
        for entry in self._entries(""):
            if entry.name == f"{self.root.name}.xml":
                self._add(entry, entry.name, "object", group)
            elif entry.name == self.root.name and self._is_folder(entry, entry.name):
                self._folder(entry.name, group)

    def _kind_folder(self, folder: str) -> None:
        is_shallow = folder in _UNREAD_KINDS and not self.is_edt
        for entry in self._entries(folder):
            path = f"{folder}/{entry.name}"
            if entry.name.endswith(".xml") and not self.is_edt:
                self._listed(entry, path, path[:-4])
            elif not is_shallow and self._is_folder(entry, path) and self._is_listed(path):
                self._folder(path, path)
            elif self.is_edt and entry.is_dir() and not self._is_listed(path):
                self._unlisted(path)

    def _listed(self, entry: os.DirEntry, path: str, group: str) -> None:
        if self._is_listed(group):
            self._add(entry, path, "object", group)
        else:
            self._unlisted(path)

    def _is_listed(self, group: str) -> bool:
        return not self.children or name_key(group) in self.children

    def _unlisted(self, path: str) -> None:
        self._reject(
            path, "unlisted_object", "the configuration does not list this object, so it is not part of it"
        )

    def _folder(self, folder: str, group: str) -> None:
        """A folder of an object, or one below it."""
        for entry in self._entries(folder):
            path = f"{folder}/{entry.name}"
            role = self._role(folder, entry.name)
            if role:
                self._add(entry, path, role, group)
            elif self._leads_on(folder, entry.name) and self._is_folder(entry, path):
                self._folder(path, group)

    def _role(self, folder: str, name: str) -> str:
        if name in MODULE_NAMES:
            return "module"
        if self.is_edt:
            return "object" if name.endswith(".mdo") else _EDT_ROLES.get(name, "")
        if folder.endswith("/Ext") or folder == "Ext":
            return _DESIGNER_ROLES.get(name, "")
        is_child = name.endswith(".xml") and folder.rpartition("/")[2] in CHILD_FOLDERS
        return "object" if is_child else ""

    def _leads_on(self, folder: str, name: str) -> bool:
        """True for names of folders worth entering: children, and in a Designer dump `Ext` and `Ext/Form`."""
        parent = folder.rpartition("/")[2]
        if parent in CHILD_FOLDERS or name in CHILD_FOLDERS:
            return "." not in name
        return not self.is_edt and (name == "Ext" or (name == "Form" and parent == "Ext"))

    def _entries(self, folder: str) -> Iterator[os.DirEntry]:
        try:
            with os.scandir(f"{self.base}/{folder}" if folder else self.base) as entries:
                yield from entries
        except OSError as error:
            if folder:
                self._reject(folder, "unreadable", error.strerror or str(error))

    def _is_folder(self, entry: os.DirEntry, path: str) -> bool:
        """A real folder. Links to folders are never followed: they make loops, and lead out."""
        if entry.is_symlink():
            if not self._is_inside(entry):
                self._reject(path, "unsafe_path", "a link that leads out of the configuration's folder")
            return False
        return entry.is_dir()

    def _add(self, entry: os.DirEntry, path: str, role: str, group: str) -> None:
        if entry.is_symlink() and not self._is_inside(entry):
            self._reject(path, "unsafe_path", "a link that leads out of the configuration's folder")
            return
        try:
            stat = entry.stat()
        except OSError as error:
            self._reject(path, "unreadable", error.strerror or str(error))
            return
        self.files.append(SourceFile(path, role, group, stat.st_size, stat.st_mtime_ns))

    def _is_inside(self, entry: os.DirEntry) -> bool:
        return Path(entry.path).resolve().is_relative_to(self.root.path.resolve())

    def _reject(self, path: str, reason: str, message: str, *, is_lost: bool = True) -> None:
        self.rejected.append(RejectedRow(f"{path}#{reason}", path, reason, message, None, None, is_lost))
