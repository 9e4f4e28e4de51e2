"""What models learn to tell, read off the metadata and the code: the subsystem of an object, the context of a form's method.

Labels are never features: no column made here is in the features table. Nothing is invented; what has no label has null.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.dataset.declarations import DIRECTIVES

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

CODE_VERSION = "2"
SUBSYSTEM, CONTEXT = "subsystem", "context"
LABELS = {
    SUBSYSTEM: "Top-level subsystem that the module's object is content of; null when none is known",
    CONTEXT: "Where a form's method runs: `client`, `server` or `server_without_context`; null for all other methods",
}
_NAMES = "names"
WRAPPER_SHARE = 0.5
"""A subsystem of the first level with more than this share of all content wraps the real ones: those below it are the classes.
`СтандартныеПодсистемы` has 96 % of the standard library's content: as a label it would tell nothing."""
CONTEXTS = {
    DIRECTIVES["AtClient"]: "client",
    DIRECTIVES["AtServer"]: "server",
    DIRECTIVES["AtServerNoContext"]: "server_without_context",
}


def subsystems(versions: Iterable[Version]) -> pa.Table:
    """`configuration`, `object` (top-level), `subsystem` (its own name) of all objects that are content of a subsystem.

    Of several subsystems the one counts that is not shown in the command interface (menus say who uses a thing, not what it is
    about), then the one with the fewest objects, then the first by name.

    Args:
        versions: configurations of the lake `onec`.
    """
    import pyarrow as pa

    columns: dict[str, list[str]] = {"configuration": [], "object": [], "subsystem": []}
    for version in versions:
        for object_, name in sorted(_subsystems(version).items()):
            columns["configuration"].append(version.configuration)
            columns["object"].append(object_)
            columns["subsystem"].append(name)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _subsystems(version: Version) -> dict[str, str]:
    links = version.table("references", ["kind", "source_id", "target_id"]).to_pylist()
    content = [(r["source_id"], _top(r["target_id"])) for r in links if r["kind"] == "SubsystemContent"]
    shown = {
        row["id"]
        for row in version.table("objects", ["id", "kind", "properties"]).to_pylist()
        if row["kind"] == "Subsystem"
        and msgspec.json.decode(row["properties"]).get("IncludeInCommandInterface")
    }
    roots = Counter(_level(source, 1) for source, _ in set(content))
    wrappers = {root for root, size in roots.items() if size > WRAPPER_SHARE * roots.total()}
    members: dict[str, set[str]] = defaultdict(set)
    for source, target in content:
        root = _level(source, 1)
        members[_level(source, 2) if root in wrappers else root].add(target)
    found: dict[str, tuple[bool, int, str]] = {}
    for subsystem, objects in members.items():
        rank = (subsystem in shown, len(objects), subsystem)
        for target in objects:
            found[target] = min(found.get(target, rank), rank)
    return {target: subsystem.rpartition(".")[2] for target, (_, _, subsystem) in found.items()}


def _level(subsystem: str, depth: int) -> str:
    """`Subsystem.А.Subsystem.Б.Subsystem.В` at depth 2 is `Subsystem.А.Subsystem.Б`; itself when it is less deep."""
    return ".".join(subsystem.split(".")[: 2 * depth])


def _top(object_id: str) -> str:
    """`Catalog.Валюты.Form.ФормаСписка` is a part of `Catalog.Валюты`."""
    return ".".join(object_id.split(".")[:2])


def add(rows: pa.Table, known: pa.Table) -> pa.Table:
    """Rows of the features table with a column per label, null where there is none.

    The names of all subsystems that there are, whether or not a row is of one, stand in the column's metadata: see `names`.

    Args:
        known: as `subsystems` gives it.
    """
    import pyarrow as pa

    of_object = dict(
        zip(
            zip(*_columns(known, "configuration", "object"), strict=True),
            known["subsystem"].to_pylist(),
            strict=True,
        )
    )
    owners = zip(*_columns(rows, "configuration", "object"), strict=True)
    subsystem = [of_object.get((configuration, _top(owner))) for configuration, owner in owners]
    places = zip(*_columns(rows, "module_type", "directive"), strict=True)
    context = [CONTEXTS.get(directive) if kind == "FormModule" else None for kind, directive in places]
    known_names = {SUBSYSTEM: sorted(set(known["subsystem"].to_pylist())), CONTEXT: sorted(CONTEXTS.values())}
    for name, values in ((SUBSYSTEM, subsystem), (CONTEXT, context)):
        meaning = {"description": LABELS[name], _NAMES: msgspec.json.encode(known_names[name])}
        field = pa.field(name, pa.string(), metadata=meaning)
        rows = rows.append_column(field, pa.array(values, pa.string()))
    return rows


def names(rows: pa.Table, label: str) -> list[str]:
    """What a label can be, as the metadata tells: `add` wrote it there, tables keep it. Empty when nothing is known."""
    found = (rows.schema.field(label).metadata or {}).get(_NAMES.encode())
    return msgspec.json.decode(found, type=list[str]) if found else []


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]
