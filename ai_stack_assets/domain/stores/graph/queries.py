"""Questions to the graph, each one Cypher text for both engines. No engine here: a reader runs the text.

The shared subset: parameters, single labels, no `type()`, `labels()`, `shortestPath` or comprehensions,
scalars returned. Labels and types in the texts are this module's own; names from sources travel as parameters
only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

Row = dict[str, Any]

MAX_DEPTH = 10

_MATCH = "{configuration: $configuration, id: $id}"
# in this form ladybug finds each id by its key (50 ids: 1 ms) instead of scanning all methods (50 ms)
_EACH = "UNWIND $ids AS one MATCH (m:Method {id: one}) WHERE m.configuration = $configuration"
_CALL = "RETURN a.id AS id, m.id AS via, r.calls AS calls, r.line AS line"
CALLERS = f"""
{_EACH} MATCH (a:Method)-[r:CALLS]->(m) {_CALL}
UNION ALL
{_EACH} MATCH (a:Module)-[r:CALLS]->(m) {_CALL}
"""
CALLEES = f"""
{_EACH} MATCH (m)-[r:CALLS]->(a:Method) {_CALL}
"""
MOST_CALLED = """
MATCH (a)-[r:CALLS]->(m:Method) WHERE m.configuration = $configuration
RETURN m.id AS id, count(*) AS callers, sum(r.calls) AS calls ORDER BY callers DESC, id LIMIT $limit
"""
_REFERENCES = "RETURN a.id AS id, r.kind AS kind, r.links AS links, r.details AS details"
REFERENCES_TO = f"""
MATCH (a)-[r:REFERENCES]->(t:Object {_MATCH}) {_REFERENCES}
UNION ALL
MATCH (a)-[r:REFERENCES]->(t:Field {_MATCH}) {_REFERENCES}
"""
HANDLED_BY = f"""
MATCH (a)-[r:HANDLES]->(t:Method {_MATCH}) {_REFERENCES}
"""
_GRANTS = "RETURN a.id AS id, r.rights AS rights, r.restricted AS restricted"
GRANTS_ON = f"""
MATCH (a:Object)-[r:GRANTS]->(t:Object {_MATCH}) {_GRANTS}
UNION ALL
MATCH (a:Object)-[r:GRANTS]->(t:Field {_MATCH}) {_GRANTS}
"""
_READS = "RETURN a.id AS id, r.queries AS queries, r.names AS names"
READERS_OF = f"""
MATCH (a)-[r:READS]->(t:Object {_MATCH}) {_READS}
UNION ALL
MATCH (a)-[r:READS]->(t:Field {_MATCH}) {_READS}
"""
EXTENDED_BY = """
MATCH (m:Method) WHERE m.configuration = $configuration AND m.extends = $id
RETURN m.id AS id, m.annotation AS annotation
"""


class Reader(Protocol):
    """One configuration, opened for reading. Parameters get `configuration` besides those given."""

    def rows(self, text: str, **parameters: Any) -> list[Row]: ...


@dataclass(frozen=True)
class Step:
    """A method or module on the way along calls. `via` is its neighbour one step nearer to the start."""

    id: str
    distance: int
    via: str
    calls: int
    line: int


def callers(reader: Reader, method_id: str, depth: int = 1) -> list[Step]:
    """Methods and modules that call the method, directly or through up to `depth` calls, nearest first."""
    return list(_walk(reader, CALLERS, method_id, depth))


def callees(reader: Reader, method_id: str, depth: int = 1) -> list[Step]:
    """Methods that the method calls, directly or through up to `depth` calls, nearest first."""
    return list(_walk(reader, CALLEES, method_id, depth))


def call_path(reader: Reader, source_id: str, target_id: str, depth: int = MAX_DEPTH) -> list[str]:
    """A shortest chain of calls between two methods, both included; empty when there is none of up to `depth`
    calls."""
    came_from = {source_id: source_id}
    for step in _walk(reader, CALLEES, source_id, depth):
        came_from[step.id] = step.via
        if step.id == target_id:
            break
    if target_id not in came_from:
        return []
    path = [target_id]
    while path[-1] != source_id:
        path.append(came_from[path[-1]])
    return path[::-1]


def most_called(reader: Reader, limit: int = 20) -> list[Row]:
    """`id, callers, calls`, most callers first."""
    return [{**row, "calls": int(row["calls"])} for row in reader.rows(MOST_CALLED, limit=limit)]


def references_to(reader: Reader, target_id: str) -> list[Row]:
    """Who references the object or field: `id, kind, links, details`."""
    return _sorted(reader.rows(REFERENCES_TO, id=target_id))


def grants_on(reader: Reader, target_id: str, right: str | None = None) -> list[Row]:
    """Roles that grant a right (any when None) on the object or field: `id, rights, restricted`."""
    rows = reader.rows(GRANTS_ON, id=target_id)
    return _sorted(row for row in rows if right is None or right in row["rights"])


def readers_of(reader: Reader, table_id: str) -> list[Row]:
    """Methods, modules, templates and dynamic lists whose queries read the table or field: `id, queries,
    names`."""
    return _sorted(reader.rows(READERS_OF, id=table_id))


def handled_by(reader: Reader, method_id: str) -> list[Row]:
    """What runs the method besides calls (subscription, job, form event): `id, kind, links, details`."""
    return _sorted(reader.rows(HANDLED_BY, id=method_id))


def extended_by(reader: Reader, method_id: str) -> list[Row]:
    """In an extension's graph: which of its methods extend this method of the extended configuration: `id,
    annotation`."""
    return _sorted(reader.rows(EXTENDED_BY, id=method_id))


def impact(reader: Reader, target_id: str) -> list[Row]:
    """What a change of the object or field may touch: `id, how` (`REFERENCES FieldType`, `READS`,
    `GRANTS`)."""
    found = [
        {"id": row["id"], "how": f"REFERENCES {row['kind']}"} for row in references_to(reader, target_id)
    ]
    found += [{"id": row["id"], "how": "READS"} for row in readers_of(reader, target_id)]
    found += [{"id": row["id"], "how": "GRANTS"} for row in grants_on(reader, target_id)]
    return _sorted(found)


def _walk(reader: Reader, text: str, start: str, depth: int) -> Iterable[Step]:
    """Breadth first, one query a level: unlike `[:CALLS*1..n]`, it does not grow with the number of paths."""
    seen, edge = {start}, [start]
    for distance in range(1, min(depth, MAX_DEPTH) + 1):
        reached: dict[str, Step] = {}
        for row in reader.rows(text, ids=edge):
            step = Step(row["id"], distance, row["via"], row["calls"], row["line"])
            if step.id not in seen and (step.id not in reached or step.via < reached[step.id].via):
                reached[step.id] = step
        yield from sorted(reached.values(), key=lambda step: step.id)
        seen.update(reached)
        edge = sorted(reached)
        if not edge:
            return


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["id"], row.get("kind") or ""))
