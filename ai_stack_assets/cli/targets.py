"""Which configurations a command is about: those listed, or a new source, which is then added to the list."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.resources.configurations import ConfigurationsResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.onec.configurations import ConfigurationEntry

DEMO, DEMO_SOURCE = "demo", "samples/demo/designer"
_NOT_TELLING = (
    "",
    "src",
    "cf",
    "cfe",
    "config",
    "configuration",
    "designer",
    "edt",
    "dump",
    "main",
    "master",
)
"""Folder names that say nothing about what is in them."""


def targets(source: str | None, name: str | None, terminal: Terminal) -> list[ConfigurationEntry]:
    """The entries to run. A source that holds several configurations gives several, `<name>-<configuration>`.

    Raises PermanentError when the name is unknown or taken, or the source is no 1C configuration.
    """
    listed = ConfigurationsResource(file=str(settings.configurations_file()))
    entries = listed.entries()
    wanted = name or DEMO
    if source is None and wanted in entries:
        return [entries[wanted]]
    if source is None and wanted != DEMO:
        raise PermanentError(f"{listed.file} lists no {wanted!r}: say where it is with SOURCE=…")
    place = portable(source or str(settings.PROJECT / DEMO_SOURCE))
    known = [entry for entry in entries.values() if entry.source == place and matches(entry.name, name)]
    if known:
        return known
    from ai_stack_assets.domain.onec.configurations import add

    if name and slug(name) != name:
        raise PermanentError(f"NAME={name!r}: letters, digits, `-`, `_` and `.` only, such as {slug(name)!r}")
    if re.match(r"https?://[^/@]+@", place):
        raise PermanentError(
            f"the address holds a password or token, and {listed.file} is a shared file: give access by a git"
            " credential helper or an SSH key, and leave it out of the address"
        )
    new = discovered(place, name or (name_of(place) if source else DEMO), terminal)
    for entry in new:
        if entry.name in entries:
            taken = entries[entry.name].source
            raise PermanentError(
                f"{entry.name!r} is {taken} in {listed.file}: give another NAME=…, or change that entry's source there"
            )
    for entry in new:
        add(Path(listed.file), entry)
    terminal.say(f"Added to {listed.file}: {', '.join(entry.name for entry in new)}")
    entries = listed.entries()
    return [entries[entry.name] for entry in new]


def portable(source: str) -> str:
    """A folder or file beside the list as a relative path, another one as an absolute path, all else as it is."""
    path, base = Path(source).expanduser().resolve(), settings.configurations_file().parent
    if not path.exists():
        return source
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def matches(entry: str, name: str | None) -> bool:
    return name is None or entry == name or entry.startswith(f"{name}-")


def name_of(source: str) -> str:
    """`https://host/group/trade.git@main` → `trade`; `~/work/trade/src/cf` → `trade`; `dump.zip` → `dump`."""
    path = (
        re.sub(r"(?<=[\w/])@[^/@:]+$", "", source) if "://" in source or source.startswith("git@") else source
    )
    parts = [re.sub(r"\.git$", "", part) for part in re.split(r"[/:\\]", path)]
    if parts[-1].endswith(".zip"):
        return slug(parts[-1].removesuffix(".zip"))
    telling = [part for part in parts if part.lower() not in _NOT_TELLING]
    return slug(telling[-1] if telling else DEMO)


def slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or DEMO


def discovered(source: str, name: str, terminal: Terminal) -> list[ConfigurationEntry]:
    """New entries for all configurations in a source."""
    from ai_stack_assets.domain.onec.configurations import ConfigurationEntry
    from ai_stack_assets.domain.onec.layout import discover
    from ai_stack_assets.domain.onec.sources import fetch, parse_source
    from ai_stack_assets.resources.lake import LakeResource

    work = LakeResource(data=str(settings.data_folder())).cache / "sources"
    base = settings.configurations_file().parent
    terminal.step(name, "looking for configurations")
    location = ConfigurationEntry(name, source, base=base).location
    with fetch(parse_source(location), work) as checkout:
        roots = [(root.name, root.place(checkout.folder)) for root in discover(checkout.folder)]
    if len(roots) == 1:
        return [ConfigurationEntry(name, source)]
    terminal.say(f"{source} holds {len(roots)} configurations; each becomes one of its own")
    count = Counter(own.lower() for own, _ in roots)
    # one configuration in two places: the place tells them apart
    return [
        ConfigurationEntry(f"{name}-{slug(own if count[own.lower()] == 1 else path)}", source, path)
        for own, path in roots
    ]
