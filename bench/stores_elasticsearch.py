"""Elasticsearch's own bulk helper, and one request a document: what our synchronisation is measured against."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bench.stores_sample import Call, every_nth, interval

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version

_INDEX = "bulk"


def limit(client: Any, version: Version) -> dict[str, Any]:
    """`helpers.parallel_bulk` as it comes, of documents that are ready, into an index of our mapping; one refresh."""
    from elasticsearch.helpers import parallel_bulk

    from ai_stack_assets.domain.stores.search import documents as docs

    actions = [
        {"_id": docs.key(collection, document["id"]), "_source": document}
        for collection in docs.COLUMNS
        for batch in docs.documents(version, collection, None)
        for document in batch
    ]
    with client.connected() as connection:
        _create(connection)
        started = time.perf_counter()
        deque(parallel_bulk(connection, actions, index=_INDEX), maxlen=0)
        connection.indices.refresh(index=_INDEX)
        return {"seconds": time.perf_counter() - started}


def calls(client: Any, version: Version, sampled: int, stack: ExitStack) -> Iterator[Call]:
    import pyarrow as pa

    from ai_stack_assets.domain.stores.search import documents as docs

    every, total = interval(version, docs.COLUMNS, sampled)
    connection = stack.enter_context(client.connected())
    _create(connection)
    for collection in docs.COLUMNS:
        ids = pa.array([row["id"] for row in every_nth(version.table(collection, ["id"]), every)])
        for batch in docs.documents(version, collection, ids):
            for document in batch:
                key = docs.key(collection, document["id"])
                yield (
                    total,
                    lambda key=key, document=document: connection.index(
                        index=_INDEX, id=key, document=document
                    ),
                )


def _create(connection: Any) -> None:
    from ai_stack_assets.domain.stores.search.elasticsearch_query import SETTINGS, mappings

    connection.indices.delete(index=_INDEX, ignore_unavailable=True)
    connection.indices.create(index=_INDEX, mappings=mappings(_INDEX), settings=SETTINGS)
