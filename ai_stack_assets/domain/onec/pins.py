"""Holding a configuration at a version (rollback): what extraction makes current then, and the line in configurations.yaml.

A pin names a version that the lake keeps, or a tag or commit of the git source, which is then read anew. It holds until it is
taken away; stores follow what is current in the lake, so they go back and forth with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.common.difference import row_changes
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.configurations import LIST_KEY, ConfigurationEntry, load
from ai_stack_assets.domain.onec.extraction import extract, only_one
from ai_stack_assets.domain.onec.report import ExtractionReport, TableChange
from ai_stack_assets.domain.onec.sources import FOLDER, GIT, parse_source
from ai_stack_assets.domain.onec.tables import TABLES

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version

_LEAST_BEGINNING = 8
"""Characters of a version's id that may stand for it."""


def extract_entry(
    entry: ConfigurationEntry, lake: Lake, cache: Path, progress: Callable[[str], None]
) -> ExtractionReport:
    """Make current what the entry says: its source as it is now, or the state that it is pinned to."""
    source = entry.location
    if entry.pin:
        with only_one(lake, entry.name):  # what is kept now is switched to before another run prunes it
            if kept := kept_version(lake, entry.name, entry.pin):
                return _switched(lake, kept, entry.pin)
        source = pinned_source(entry.location, entry.pin)
    report = extract(entry.name, source, lake, cache, path=entry.path, progress=progress)
    report.pin = entry.pin
    return report


def kept_version(lake: Lake, name: str, version_id: str) -> Version | None:
    """The version of that id (or the only one that begins so) if the lake keeps it. A short word is a tag, no beginning."""
    is_beginning = len(version_id) >= _LEAST_BEGINNING
    found = [
        version
        for version in lake.versions(name)
        if version.id == version_id or (is_beginning and version.id.startswith(version_id))
    ]
    return found[0] if len(found) == 1 else None


def pinned_source(location: str, pin: str) -> str:
    """The source at that ref.

    Raises:
        PermanentError: the source is no git repository, so nothing but the lake can have the version.
    """
    spec = parse_source(location)
    if spec.kind == GIT or (spec.kind == FOLDER and (Path(spec.location) / ".git").exists()):
        return f"{spec.location}@{pin}"
    raise PermanentError(
        f"pinned to {pin!r}, which the lake does not keep, and {spec.uri} is no git repository that could have it:"
        " `python -m ai_stack_assets versions` shows what there is"
    )


def _switched(lake: Lake, version: Version, pin: str) -> ExtractionReport:
    clock = PhaseClock()
    previous = lake.current(version.configuration)
    changes = {table: _change(version, previous, table) for table in TABLES}
    clock.lap("compare")
    if previous is None or previous.id != version.id:
        lake.switch(version)
    clock.lap("publish")
    rejected = Counter(version.table("rejected", ["reason"])["reason"].to_pylist())
    source = version.manifest["source"]
    return ExtractionReport(version, previous, changes, {}, dict(rejected), source, clock.seconds, pin)


def _change(version: Version, previous: Version | None, table: str) -> TableChange:
    size = version.manifest["tables"].get(table, {"bytes": 0})["bytes"]
    if previous is None or previous.id == version.id:
        return TableChange(version.rows(table), 0, 0, 0, size)
    columns = ["id", "content_hash"]
    found = row_changes(version.table(table, columns), previous.table(table, columns))
    return TableChange(version.rows(table), *(len(ids) for ids in found), size)


# ---- the line in configurations.yaml


def set_pin(file: Path, name: str, pin: str | None) -> None:
    """Write, replace or take away an entry's pin; every other character of the file stays.

    Raises:
        PermanentError: the file is wrong, has no such entry, or writes it in braces.
    """
    import yaml

    load(file)
    text = file.read_text(encoding="utf-8-sig")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    listed = next(value for key, value in root.value if key.value == LIST_KEY)
    node = next(
        (n for n in listed.value if any(k.value == "name" and v.value == name for k, v in n.value)), None
    )
    if node is None:
        raise PermanentError(f"configuration {name!r} is not in {file}: add it there")
    key = next((k for k, _ in node.value if k.value == "pin"), None)
    if node.flow_style or (key is node.value[0][0] and not pin):
        raise PermanentError(f"{file.name}: write {name!r} with one key a line, or set `pin` by hand")
    lines = text.splitlines(keepends=True)
    first = node.value[0][0].start_mark
    if key is not None:
        at = key.start_mark.line
        lines[at : at + 1] = [f"{lines[at][: key.start_mark.column]}pin: '{pin}'\n"] if pin else []
    elif pin:
        # below the first key: the last one may be followed by comments that belong to the next entry
        at = first.line + 1
        lines[at - 1] = lines[at - 1].rstrip("\r\n") + "\n"
        lines.insert(at, f"{' ' * first.column}pin: '{pin}'\n")
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text("".join(lines), encoding="utf-8")
        load(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
