"""What ails the graph, see `stores.doctor`: a Neo4j server, or the embedded files."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.doctor import Findings
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
from ai_stack_assets.domain.stores.places import installed, try_folder

if TYPE_CHECKING:
    import neo4j

    from ai_stack_assets.domain.stores.graph.server import Neo4jGraph

_PROBE = "StoreDoctor"


def diagnose(client: EmbeddedGraph | Neo4jGraph) -> Findings:
    return _embedded(client) if isinstance(client, EmbeddedGraph) else _server(client)


def _server(client: Neo4jGraph) -> Findings:
    with client._driver() as driver:
        yield "reachable", f"{client.uri} as {client.user}"
        yield "version", driver.get_server_info().agent
        with driver.session(database=client.database) as session:
            _try_rights(session)
            yield "rights", "created and removed a node and a constraint"
            yield "schema", _schema(session, client.uri)


def _try_rights(session: neo4j.Session) -> None:
    """In transactions that are rolled back; Neo4j takes a constraint and data only apart."""
    constraint: Any = f"CREATE CONSTRAINT store_doctor FOR (n:`{_PROBE}`) REQUIRE n.id IS UNIQUE"
    node: Any = f"CREATE (n:`{_PROBE}` {{id: $id}}) SET n.seen = true DELETE n"
    for statement in (constraint, node):
        with session.begin_transaction(timeout=30) as transaction:
            transaction.run(statement, id=uuid.uuid4().hex).consume()
            transaction.rollback()


def _schema(session: neo4j.Session, uri: str) -> str:
    wanted = {statement.split()[2] for statement in schema.neo4j_ddl()}
    indexes = session.run("SHOW INDEXES YIELD name, state, labelsOrTypes AS labels").data()
    found = {row["name"]: row["state"] for row in indexes if row["name"] in wanted}
    if not found:
        return "none yet, the first run makes it"
    if missing := sorted(wanted - found.keys()):
        raise PermanentError(
            f"{uri} (NEO4J_URI) has no {', '.join(missing)}: the next run makes them, data stay"
        )
    if broken := {name: state for name, state in found.items() if state not in ("ONLINE", "POPULATING")}:
        names = ", ".join(f"{name} ({state})" for name, state in broken.items())
        raise PermanentError(
            f"{uri} (NEO4J_URI): DROP INDEX or DROP CONSTRAINT {names}, the next run makes it anew"
        )
    return f"{len(found)} constraints and indexes online"


def _embedded(client: EmbeddedGraph) -> Findings:
    try_folder(client.folder)
    yield "reachable", str(client.folder)
    yield "version", f"ladybug {installed('ladybug')}"
    yield "rights", "wrote, locked and removed a file"
    names = client.configurations()
    for name in names:
        file = client.file(name)
        if not file.exists():
            continue  # of another schema: made anew by the next run
        # opened, not read through: that is for the synchronisation of that configuration
        with contextlib.closing(client.connect(file, read_only=True)):
            pass
    yield "schema", f"files of {len(names)} configurations open"
