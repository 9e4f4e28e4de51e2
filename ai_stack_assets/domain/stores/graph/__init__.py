"""The code graph of a configuration: who calls, reads, references and grants what. Embedded, or in Neo4j by
its address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
    from ai_stack_assets.domain.stores.graph.server import Neo4jGraph


def open_graph(
    folder: Path, *, uri: str = "", user: str = "neo4j", password: str = "", database: str = "", ca: str = ""
) -> EmbeddedGraph | Neo4jGraph:
    """The server at `uri` when one is given, else the embedded engine under `folder`. Nothing is opened
    yet."""
    from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph
    from ai_stack_assets.domain.stores.graph.server import Neo4jGraph

    if not uri:
        return EmbeddedGraph(Path(folder))
    return Neo4jGraph(uri, user, password, database or None, ca)
