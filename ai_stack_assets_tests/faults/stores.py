"""The stores that faults are injected into: how each is opened, and what its reader sees. No fault here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.stores.sync import SyncReport, compare, synchronise
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers
from ai_stack_assets_tests.faults.lake import NEW, OLD, ROWS

EMBEDDED = ("postgres", "graph", "search", "vectors")
SERVERS = ("postgres_server", "neo4j_server", "elasticsearch_server")
LOCK_SECONDS = 60


@dataclass(frozen=True)
class Subject:
    """One store of one configuration: by engine, the folder of everything local, and a server's address."""

    engine: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict)
    configuration: str = "сбой"

    @property
    def lake(self) -> Lake:
        return Lake(Path(self.folder) / "lake")

    def client(self) -> Any:
        return _CLIENTS[self.engine](Path(self.folder), self.options)

    def sync(self, version: Version, *, rebuild: bool = False, **options: Any) -> SyncReport:
        if self.engine == "vectors":
            _vectorisers(Path(self.folder)).ensure(version)
        with self.client().open(self.configuration, rebuild=rebuild) as store:
            return synchronise(store, version, **options)

    def differences(self, version: Version) -> dict[str, Any]:
        with self.client().open(self.configuration) as store:
            return {d.collection: d for d in compare(store, version) if not d.is_empty}

    def seen(self) -> dict[str, int]:
        """How many methods of each version a reader finds at one moment. Raises what a reader gets."""
        return _READERS[self.engine](self)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def whole(seen: dict[str, int]) -> bool:
    """Everything of one version and nothing of the other."""
    return seen in ({OLD: ROWS, NEW: 0}, {OLD: 0, NEW: ROWS})


def _vectorisers(folder: Path) -> Vectorisers:
    return Vectorisers(folder / "vectorisers")


def _postgres(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.postgres.client import Postgres
    from ai_stack_assets.domain.stores.postgres.embedded import EmbeddedPostgres

    if not options:
        return EmbeddedPostgres(folder / "postgres")
    return Postgres(**{"lock_seconds": LOCK_SECONDS, **options})


def _graph(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.graph.embedded import EmbeddedGraph

    return EmbeddedGraph(folder / "graph", lock_seconds=LOCK_SECONDS, memory_bytes=256 << 20)


def _search(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy

    return Tantivy(folder / "search", lock_seconds=LOCK_SECONDS)


def _vectors(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
    from ai_stack_assets.domain.stores.vectors.store import VectorStores

    return VectorStores(EdgeEngine(folder / "vectors", wait_seconds=LOCK_SECONDS), _vectorisers(folder))


def _neo4j(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.graph.server import Neo4jGraph

    return Neo4jGraph(**options)


def _elasticsearch(folder: Path, options: dict[str, Any]) -> Any:
    from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch

    return Elasticsearch(**options)


_CLIENTS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
    "postgres": _postgres,
    "postgres_server": _postgres,
    "graph": _graph,
    "neo4j_server": _neo4j,
    "search": _search,
    "elasticsearch_server": _elasticsearch,
    "vectors": _vectors,
}


def _rows_seen(subject: Subject) -> dict[str, int]:
    with subject.client().connected() as connection:
        found = connection.execute(
            "SELECT doc_comment, count(*) FROM onec.methods WHERE configuration = %s GROUP BY 1",
            [subject.configuration],
        ).fetchall()
    return {OLD: 0, NEW: 0, **dict(found)}


def _nodes_seen(subject: Subject) -> dict[str, int]:
    text = (
        "MATCH (n:Method {configuration: $configuration}) RETURN n.start_line AS line, count(*) AS found "
        "ORDER BY line"
    )
    with subject.client().reader(subject.configuration) as reader:
        found = {row["line"]: row["found"] for row in reader.rows(text)}
    return {OLD: found.get(1, 0), NEW: found.get(2, 0)}


def _documents_seen(subject: Subject) -> dict[str, int]:
    """By one search for both words."""
    client = subject.client()
    hits = client.search(subject.configuration, "Метод", kinds=("Procedure",), limit=5 * ROWS)
    found = [len(hit.facts) and hit.facts["is_export"] for hit in hits]
    return {OLD: found.count(False), NEW: found.count(True)}


def _points_seen(subject: Subject) -> dict[str, int]:
    stores = subject.client()
    with stores._reading(subject.configuration) as (space, published):
        from ai_stack_assets.domain.stores.vectors.engine import visible

        where = visible(published.generation, {"table": "methods"})
        found = [payload["is_export"] for _, payload in space.scroll(where, ["is_export"])]
    return {OLD: found.count(0), NEW: found.count(1)}


_READERS: dict[str, Callable[[Subject], dict[str, int]]] = {
    "postgres": _rows_seen,
    "postgres_server": _rows_seen,
    "graph": _nodes_seen,
    "neo4j_server": _nodes_seen,
    "search": _documents_seen,
    "elasticsearch_server": _documents_seen,
    "vectors": _points_seen,
}
