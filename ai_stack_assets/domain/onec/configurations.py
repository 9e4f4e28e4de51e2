"""`configurations.yaml`: which configurations there are and where they come from. Strict reading, and adding.

configurations:
  - name: trade                      # partition key: letters, digits, - _ .
    source: https://host/group/trade.git@main
    path: src/cf                     # only when the source holds several
    schedule: 0 */6 * * *
    pin: release-2.5                 # hold it at a version of the lake, a tag or a commit
    owner: team:trade
    description: …
    enabled: true
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common import files
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.sources import is_remote, parse_source, without_credentials

if TYPE_CHECKING:
    from yaml import MappingNode, Node

LIST_KEY = "configurations"
MAX_NAME = 80

_PIN = re.compile(r"[\w][\w./+-]*$")
_NAME = re.compile(r"[^\W_](?:[\w-]|\.(?!\.|$))*$")
_OWNER = re.compile(r"(?:team:[\w.-]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)$")
_CRON_FIELDS = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day of month", 1, 31, ""),
    ("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("day of week", 0, 7, "sun mon tue wed thu fri sat"),
)
_CRON_PART = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?$")


@dataclass(frozen=True)
class ConfigurationEntry:
    """One configuration. `source` and `path` as written; `location` is what `sources.parse_source` takes."""

    name: str
    source: str
    path: str | None = None
    schedule: str | None = None
    owner: str | None = None
    description: str | None = None
    enabled: bool = True
    pin: str | None = None
    line: int = field(default=0, compare=False)
    base: Path | None = field(default=None, compare=False)
    """Folder that a relative source starts at: the one with the file."""

    @property
    def location(self) -> str:
        """The source, a relative folder or file made absolute."""
        if self.base is None or is_remote(self.source):
            return self.source
        return str(self.base / Path(self.source).expanduser())


_KEYS = [f.name for f in fields(ConfigurationEntry) if f.name not in ("line", "base")]


def load(path: Path) -> list[ConfigurationEntry]:
    """All entries, in order.

    Raises:
        PermanentError: the file is missing or wrong; the message has a line for each fault, with its place.
    """
    return _parse(_read(path), path)


def add(path: Path, entry: ConfigurationEntry) -> None:
    """Append an entry; comments and order of the rest stay. Creates the file when there is none.

    Raises:
        PermanentError: the entry is wrong, its name is taken, or the file cannot be added to.
    """
    text = _read(path) if path.exists() else f"{LIST_KEY}:\n"
    _parse(text, path)
    changed = _appended(text, entry, path)
    _parse(changed, path)
    files.replace(path, changed.encode())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PermanentError(f"{path} does not exist: list your configurations there") from error
    except UnicodeDecodeError as error:
        raise PermanentError(f"{path} is not UTF-8: save it in that encoding") from error
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}") from error


# ---- reading


class _Faults(list[tuple[int, str]]):
    def at(self, node: Node, message: str) -> None:
        self.append((_line(node), message))


def _parse(text: str, path: Path) -> list[ConfigurationEntry]:
    faults = _Faults()
    entries = [entry for entry in _entries(text, path, faults) if entry]
    seen: dict[str, ConfigurationEntry] = {}
    for entry in entries:
        first = seen.setdefault(entry.name.lower(), entry)
        if first is not entry:
            how = (
                ""
                if first.name == entry.name
                else f" as {first.name!r}: names that differ only by case are the same"
            )
            faults.append((entry.line, f"the name {entry.name!r} is taken in line {first.line}{how}"))
    if faults:
        raise PermanentError(
            "\n".join(f"{path.name}, line {line}: {message}" for line, message in sorted(faults))
        )
    return entries


def _entries(text: str, path: Path, faults: _Faults) -> Iterator[ConfigurationEntry | None]:
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.append((mark.line + 1 if mark else 1, f"no valid YAML: {error.problem or error}"))
        return
    except yaml.YAMLError as error:
        faults.append((1, f"no valid YAML: {error}"))
        return
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        faults.at(root, f"expected `{LIST_KEY}:` and a list below it")
        return
    for key, value in root.value:
        if key.value != LIST_KEY:
            faults.at(key, f"unknown key {key.value!r}: only `{LIST_KEY}` stands at the top")
        elif isinstance(value, yaml.SequenceNode):
            yield from (_entry(node, path, faults) for node in value.value)
        elif not _is_null(value):
            faults.at(value, f"`{LIST_KEY}` must be a list: each entry begins with `- name: …`")


def _entry(node: Node, path: Path, faults: _Faults) -> ConfigurationEntry | None:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        faults.at(node, "an entry must have keys: `- name: …` and `source: …`")
        return None
    before = len(faults)
    values = _values(node, faults)
    for key in ("name", "source"):
        if not values.get(key):
            faults.at(node, f"the entry has no `{key}`")
    for key, check in _CHECKS.items():
        if (value := values.get(key)) and (problem := check(value)):
            faults.append((values[f"{key} line"], f"{key} {without_credentials(value)!r}: {problem}"))
    if len(faults) > before:
        return None
    given = {key: value for key, value in values.items() if key in _KEYS and value is not None}
    return ConfigurationEntry(**given, line=_line(node), base=path.absolute().parent)


def _values(node: MappingNode, faults: _Faults) -> dict:
    """Values by key, and the line of each under `<key> line`."""
    import yaml

    values: dict = {}
    for key, value in node.value:
        name = key.value if isinstance(key.value, str) else "?"
        if name not in _KEYS:
            near = difflib.get_close_matches(name, _KEYS, 1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(_KEYS)}"
            faults.at(key, f"unknown key {name!r}{meant}")
        elif name in values:
            faults.at(key, f"{name!r} is given twice")
        elif not isinstance(value, yaml.ScalarNode):
            faults.at(value, f"{name!r} must be a single value")
        elif name == "enabled" and not value.tag.endswith(":bool"):
            faults.at(value, f"'enabled' must be true or false, not {value.value!r}")
        else:
            plain = value.value.lower() in ("true", "yes", "on") if name == "enabled" else value.value.strip()
            values[name] = None if _is_null(value) else plain
            values[f"{name} line"] = _line(value)
    return values


def _line(node: Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _is_null(node: Node) -> bool:
    return node.tag.endswith(":null")


# ---- what each value must be: the problem, or an empty string


def _name_problem(name: str) -> str:
    if len(name) > MAX_NAME:
        return f"longer than {MAX_NAME} characters"
    if not _NAME.match(name):
        return "letters, digits, `-`, `_` and single dots are allowed; a letter or digit first, no dot last"
    return ""


def _source_problem(source: str) -> str:
    try:
        parse_source(source)
    except PermanentError as error:
        return str(error)
    return ""


def _path_problem(path: str) -> str:
    parts = path.replace("\\", "/").split("/")
    return (
        "must be a folder inside the source"
        if path.startswith(("/", "~")) or ".." in parts or ":" in parts[0]
        else ""
    )


def _owner_problem(owner: str) -> str:
    return "" if _OWNER.match(owner) else "must be `team:<name>` or an e-mail address"


def _cron_problem(cron: str) -> str:
    """Five fields of numbers, names, ranges, lists and steps; or `@hourly` and the like."""
    if cron in ("@hourly", "@daily", "@weekly", "@monthly", "@yearly"):
        return ""
    parts = cron.lower().split()
    if len(parts) != len(_CRON_FIELDS):
        return f"a cron expression has five fields (minute hour day month weekday), this one has {len(parts)}"
    for (what, low, high, names), values in zip(_CRON_FIELDS, parts, strict=True):
        for value in values.split(","):
            part = _CRON_PART.match(value)
            ends = part[1].split("-") if part and part[1] != "*" else []
            known = all(low <= int(end) <= high if end.isdigit() else end in names.split() for end in ends)
            if not part or not known or part[2] == "0":
                return f"{value!r} is no {what} ({low}–{high})"
    return ""


_CHECKS = {
    "name": _name_problem,
    "source": _source_problem,
    "path": _path_problem,
    "owner": _owner_problem,
    "pin": lambda pin: "" if _PIN.match(pin) else "must be a version of the lake, a tag or a commit",
    "schedule": _cron_problem,
}


# ---- adding


def _appended(text: str, entry: ConfigurationEntry, path: Path) -> str:
    import yaml

    given = {
        key: value for key in _KEYS if (value := getattr(entry, key)) not in (None, "") and value is not True
    }
    item = yaml.safe_dump([given], allow_unicode=True, sort_keys=False, width=1000)
    lines = text.splitlines()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    listed = next((pair for pair in root.value if pair[0].value == LIST_KEY), None) if root else None
    if listed is None:
        at, indent, lines = len(lines) + 1, "  ", [*lines, f"{LIST_KEY}:"]
    elif not listed[1].value:
        at, indent = listed[0].start_mark.line + 1, "  "
        lines[at - 1] = lines[at - 1].replace("[]", "").replace("null", "").replace("~", "").rstrip()
    elif listed[1].flow_style:
        raise PermanentError(
            f"{path.name}: the list is written in brackets: write one entry a line, or add it by hand"
        )
    else:
        at, indent = listed[1].end_mark.line, " " * listed[1].start_mark.column
        at = len(lines) if at >= len(lines) else at
        while at > 0 and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
            at -= 1
    new = [indent + line for line in item.rstrip("\n").split("\n")]
    return "\n".join([*lines[:at], *new, *lines[at:]]) + "\n"
