"""Whose file a path is, in either layout, by the path alone. No file is looked at."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from ai_stack_assets.domain.onec.kinds import BY_FOLDER, CHILD_FOLDERS, EXTERNAL_KINDS, MODULE_FILES

CONFIGURATION = "Configuration"
EXTERNAL_FOLDERS = {f"{kind}s": kind for kind in EXTERNAL_KINDS}
"""Folder (EDT) and prefix of the group (both) of an external processor or report → its kind."""

TOP_FOLDERS = {folder: kind.name for folder, kind in BY_FOLDER.items()} | EXTERNAL_FOLDERS

MODULE_NAMES = {f"{stem}{suffix}" for stem in MODULE_FILES for suffix in (".bsl", ".bin")}
"""A `.bin` is a protected module: compiled, without source."""


class Place(NamedTuple):
    owner_id: str
    """Id of the thing that it defines or tells about: `Catalog.Валюты.Form.ФормаСписка`; empty: of the
    root."""
    owner_kind: str
    """`Form`; empty for the root."""
    is_definition: bool
    """The file defines its owner (`Валюты.xml`, `Валюты.mdo`)."""
    module: str
    """Stem of a module file (`ObjectModule`); empty for others."""


def name_key(name: str) -> str:
    """The same for names that the platform takes for one. A file keeps its old case when an object is
    renamed on Windows, and letters in two parts (й) when it comes from macOS."""
    return unicodedata.normalize("NFC", name).casefold()


@lru_cache(maxsize=4096)
def place_of(root_kind: str, path: str) -> Place:
    """Whose file this is.

    Args:
        root_kind: `Root.kind`: paths of an external processor in a Designer dump start at its name.
        path: relative to the root.
    """
    parts = unicodedata.normalize("NFC", path).split("/")
    if root_kind in EXTERNAL_KINDS and parts[0] not in EXTERNAL_FOLDERS:
        parts = [f"{root_kind}s", *parts]
    file = parts[-1]
    stem = file.rpartition(".")[0]
    names: list[str] = []
    kind = ""
    position = 0
    folders = TOP_FOLDERS
    while position + 1 < len(parts) and (found := folders.get(parts[position])):
        kind = found
        position += 2
        names += [kind, stem if position == len(parts) else parts[position - 1]]
        folders = CHILD_FOLDERS
    is_own_xml = file.endswith(".xml") and position == len(parts)
    is_definition = is_own_xml or file.endswith(".mdo") or path == "Configuration.xml"
    return Place(".".join(names), kind, is_definition, stem if file in MODULE_NAMES else "")
