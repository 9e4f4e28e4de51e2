"""Finding configurations in a folder: walking it, and reading what names each of them. No listing of their
files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ai_stack_assets.domain.onec.kinds import BY_NAME
from ai_stack_assets.domain.onec.layout import Root
from ai_stack_assets.domain.onec.model import Node, Rejection
from ai_stack_assets.domain.onec.places import CONFIGURATION, EXTERNAL_FOLDERS
from ai_stack_assets.domain.onec.xml import MAX_BYTES

_SKIPPED = {"node_modules", "__pycache__"}
_HEAD_BYTES = 8192
_EXTERNAL_ROOT = re.compile(rb"<MetaDataObject\b[^>]*>\s*<(ExternalDataProcessor|ExternalReport)\b")
_EXTERNAL_NAME = re.compile(rb"<Name>([^<]+)</Name>")


def find_roots(folder: Path) -> Iterator[Root]:
    """Roots in a folder and below. Inside of what was found nothing is looked for; links are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    for layout, file in (
        ("designer", folder / "Configuration.xml"),
        ("edt", folder / "Configuration/Configuration.mdo"),
    ):
        if file.is_file() and (root := _configuration(folder, layout, file)):
            yield root
            return
    if found := [*_edt_externals(folder, names)]:
        yield from found
        return
    own_folders = set()
    for entry in entries:
        if entry.name.endswith(".xml") and entry.is_file() and (root := _designer_external(Path(entry.path))):
            own_folders.add(root.name)
            yield root
    for entry in entries:
        if entry.name[0] == "." or entry.name in _SKIPPED or entry.name in own_folders:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from find_roots(Path(entry.path))


def _configuration(folder: Path, layout: str, file: Path) -> Root | None:
    """The root that a configuration file makes; None when it is some other file of that name.

    A broken file still makes a root, named after its folder: its objects can be read, the file itself is
    rejected later."""
    from ai_stack_assets.domain.onec.reader import parse_file

    try:
        node = parse_file(layout, "object", _bytes(file))
    except Rejection as rejection:
        if rejection.reason == "unexpected_xml":
            return None
        return Root(folder, layout, CONFIGURATION, _fallback_name(folder))
    if node.kind != CONFIGURATION:
        return None
    is_extension = node.is_adopted or "NamePrefix" in node.properties
    kind = "ConfigurationExtension" if is_extension else CONFIGURATION
    return Root(folder, layout, kind, node.name, _listed_groups(node))


def _listed_groups(node: Node) -> frozenset[str]:
    groups = set()
    for link in node.links:
        if link.kind == "ChildObject":
            kind, _, name = link.target.partition(".")
            if kind in BY_NAME:
                groups.add(f"{BY_NAME[kind].folder}/{name}")
    return frozenset(groups)


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise Rejection("too_large", f"{file.stat().st_size} bytes, the limit is {MAX_BYTES}")
    return file.read_bytes()


def _fallback_name(folder: Path) -> str:
    names = [name for name in reversed(folder.resolve().parts) if name not in ("src", "cf", "cfe")]
    return names[0] if names else CONFIGURATION


def _designer_external(file: Path) -> Root | None:
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    found = _EXTERNAL_ROOT.search(head)
    if found is None:
        return None
    # the name follows a list of generated types, which fits the head; the file bears the same name
    name = _EXTERNAL_NAME.search(head)
    return Root(file.parent, "designer", found[1].decode(), name[1].decode() if name else file.stem)


def _edt_externals(folder: Path, names: set[str]) -> Iterator[Root]:
    for sub, kind in EXTERNAL_FOLDERS.items():
        if sub in names:
            for own in sorted((folder / sub).iterdir()):
                if (own / f"{own.name}.mdo").is_file():
                    yield Root(folder, "edt", kind, own.name)
