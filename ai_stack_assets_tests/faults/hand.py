"""Somebody's hand in a store: random rows deleted, and others edited so that their stored hash stays as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets_tests.faults.stores import Subject

Damage = tuple[set[str], set[str]]
"""Ids deleted, ids edited."""


def damage(subject: Subject, version: Version, rows: int, seed: int) -> Damage:
    """Half of the rows deleted, the other half edited."""
    deleted_from, edited_in, by = _HANDS[subject.engine]
    lot = random.Random(seed)
    deleted = lot.sample(_ids(version, deleted_from), rows // 2)
    rest = sorted(set(_ids(version, edited_in)) - set(deleted))
    edited = lot.sample(rest, rows - rows // 2)
    by(subject, deleted, edited)
    return _named(subject, version, deleted), set(edited)


def _ids(version: Version, table: str) -> list[str]:
    return sorted(version.table(table, ["id"])["id"].to_pylist())


def _named(subject: Subject, version: Version, deleted: list[str]) -> set[str]:
    """As the store calls them: in graphs a call is a relationship from method to method."""
    if subject.engine not in ("graph", "neo4j_server"):
        return set(deleted)
    calls = {c["id"]: c for c in version.table("calls").to_pylist()}
    return {f"{calls[id_]['caller_id']}>{calls[id_]['target_id']}" for id_ in deleted}


def _rows(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    with subject.client().connected() as connection:
        mine = [subject.configuration]
        connection.execute(
            "DELETE FROM onec.calls WHERE configuration = %s AND id = ANY(%s)", [*mine, deleted]
        )
        connection.execute(
            "UPDATE onec.methods SET body = 'рукой' WHERE configuration = %s AND id = ANY(%s)",
            [*mine, edited],
        )


_UNLINK = "MATCH (a:Method {id: $from})-[r:CALLS]->() DELETE r"
_EDIT = "MATCH (n:Method {id: $id}) SET n.signature = 'рукой'"


def _graph(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    client = subject.client()
    connection = client.connect(client.file(subject.configuration), read_only=False)
    try:
        for id_ in deleted:
            connection.execute(_UNLINK, **{"from": id_.partition("#")[0]})
        for id_ in edited:
            connection.execute(_EDIT, id=id_)
    finally:
        connection.close()


def _neo4j(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    with subject.client()._session() as session:
        session.run(
            "UNWIND $ids AS id MATCH (a:Method {configuration: $c, id: id})-[r:CALLS]->() DELETE r",
            ids=[id_.partition("#")[0] for id_ in deleted],
            c=subject.configuration,
        ).consume()
        session.run(
            "UNWIND $ids AS id MATCH (n:Method {configuration: $c, id: id}) SET n.signature = 'рукой'",
            ids=edited,
            c=subject.configuration,
        ).consume()


def _tantivy(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    import msgspec
    import tantivy

    client = subject.client()
    folder = (client.folder(subject.configuration) / "current").resolve()
    index = tantivy.Index.open(str(folder))
    searcher, schema = index.searcher(), index.schema
    writer = index.writer(15_000_000, 1)
    for id_ in deleted + edited:
        writer.delete_documents_by_term("key", docs.key("methods", id_))
    for id_ in edited:
        term = tantivy.Query.term_query(schema, "key", docs.key("methods", id_))
        [(_, address)] = searcher.search(term, 1).hits
        source: dict[str, Any] = msgspec.json.decode(bytes(searcher.doc(address)["source"][0]))
        [(state, _)] = searcher.terms_with_prefix("state", "", term)
        changed = msgspec.json.encode({**source, "signature": "рукой"})
        fields = {"key": docs.key("methods", id_), "state": state, "source": changed, "kind": source["kind"]}
        writer.add_document(tantivy.Document.from_dict(fields, schema))
    writer.commit()
    writer.wait_merging_threads()


def _elasticsearch(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    from ai_stack_assets.domain.stores.search.elasticsearch_store import alias

    with subject.client().connected() as client:
        name = alias(subject.configuration)
        for id_ in deleted:
            client.delete(index=name, id=docs.key("methods", id_))
        for id_ in edited:
            key = docs.key("methods", id_)
            found = client.search(
                index=name, query={"term": {"id": id_}}, docvalue_fields=["content_hash"], size=1
            )["hits"]["hits"][0]
            same = {"content_hash": found["fields"]["content_hash"][0]}
            client.index(index=name, id=key, document={**found["_source"], **same, "signature": "рукой"})
        client.indices.refresh(index=name)


def _points(subject: Subject, deleted: list[str], edited: list[str]) -> None:
    """Of the edited ones, every other gets another payload, and the rest another vector."""
    import qdrant_edge as edge

    stores = subject.client()
    published = stores.engine.published(subject.configuration)
    with stores.engine.open(subject.configuration, published.space) as space:
        existing = {
            payload["id"]: str(point) for point, payload in space.scroll(_everything(published), ["id"])
        }
        gone = [existing[id_] for id_ in deleted]
        space.shard.update(edge.UpdateOperation.delete_points(gone))
        for number, id_ in enumerate(edited):
            if number % 2:
                space.set_payload([existing[id_]], {"name": "рукой"})
                continue
            [found] = space.retrieve([existing[id_]])
            vector = [float(value) for value in found.vector]
            vector[0] += 0.5
            space.shard.update(
                edge.UpdateOperation.upsert_points([edge.Point(existing[id_], vector, found.payload)])
            )
        space.flush()


def _everything(published: Any) -> Any:
    from ai_stack_assets.domain.stores.vectors.engine import visible

    return visible(published.generation)


_HANDS: dict[str, tuple[str, str, Callable[[Subject, list[str], list[str]], None]]] = {
    "postgres": ("calls", "methods", _rows),
    "postgres_server": ("calls", "methods", _rows),
    "graph": ("calls", "methods", _graph),
    "neo4j_server": ("calls", "methods", _neo4j),
    "search": ("methods", "methods", _tantivy),
    "elasticsearch_server": ("methods", "methods", _elasticsearch),
    "vectors": ("methods", "methods", _points),
}
"""Lake table that is deleted from, table that is edited in, and who does it."""


def ids(differences: dict[str, Any], what: str) -> set[str]:
    arrays = [getattr(d, what) for d in differences.values()]
    return set(pa.concat_arrays([a.cast(pa.string()) for a in arrays]).to_pylist()) if arrays else set()
