"""Full-text search on an Elasticsearch server, version 9: one index per configuration and mapping, behind an
alias.

onec-<slug>              alias: what is searched onec-<slug>-v<mapping>   index; a new mapping gets a new one
beside it, the alias moves when that is complete

Refreshing is off: what a run writes becomes visible by its one refresh at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_query import SETTINGS, compiled, mappings
from ai_stack_assets.domain.stores.search.query import Hit, hit, plan

if TYPE_CHECKING:
    import elasticsearch as es
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

SETTING = "ELASTICSEARCH_URL"
BULK_DOCUMENTS = 500
BULK_BYTES = 8 << 20
BULK_THREADS = 2
PAGE = 10_000
"""Largest page that a server allows by default."""
_PREFIX = "onec-"


@dataclass(frozen=True)
class Elasticsearch:
    """A server by URL: `https://user:password@host:9200`, or with an API key."""

    url: str
    api_key: str | None = None
    request_seconds: float = 60
    retries: int = 3

    @contextlib.contextmanager
    def open(self, configuration: str) -> Generator[ElasticsearchStore]:
        with self.connected() as client:
            yield ElasticsearchStore(client, configuration)

    @contextlib.contextmanager
    def connected(self) -> Generator[es.Elasticsearch]:
        """Raises TransientError and PermanentError, for what happens inside the block too."""
        import elasticsearch as es

        with translated(self.server):
            try:
                client = es.Elasticsearch(
                    self.url,
                    api_key=self.api_key or None,
                    request_timeout=self.request_seconds,
                    max_retries=self.retries,
                    retry_on_status=(429, 503),
                    retry_on_timeout=False,
                )
            except ValueError as error:
                raise PermanentError(f"{self.server}: {error} (see the setting {SETTING})") from error
            with contextlib.closing(client):
                yield client

    def configurations(self) -> list[str]:
        with self.connected() as client:
            found = client.indices.get(
                index=f"{_PREFIX}*", expand_wildcards="open", features=["aliases", "mappings"]
            )
            return sorted(
                {i["mappings"]["_meta"]["configuration"] for i in found.values() if i.get("aliases")}
            )

    def drop(self, configuration: str) -> None:
        with self.connected() as client:
            for index in _indexes(client, configuration):
                client.indices.delete(index=index, ignore_unavailable=True)

    def search(
        self, configuration: str, text: str, kinds: tuple[str, ...] = (), limit: int = 10
    ) -> list[Hit]:
        """Best documents first, as `Tantivy.search`. Raises PermanentError when the configuration has no
        index."""
        import elasticsearch as es

        wanted = plan(text, kinds)
        with self.connected() as client:
            try:
                found = client.search(
                    index=alias(configuration), query=compiled(wanted), size=limit, track_total_hits=False
                )
            except es.NotFoundError:
                raise PermanentError(
                    f"{configuration!r} is not in {self.server}: synchronise it first"
                ) from None
            return [hit(h["_source"], h["_score"], wanted) for h in found["hits"]["hits"]]

    @property
    def server(self) -> str:
        """The URL without user and password, for messages."""
        scheme, found, rest = self.url.rpartition("://")
        return f"Elasticsearch {scheme}{found}{rest.rpartition('@')[2]}"


class ElasticsearchStore:
    """Implements `stores.contract.Store`. Collections are the lake tables that are searched."""

    name = "search"
    collections = tuple(docs.COLUMNS)

    def __init__(self, client: es.Elasticsearch, configuration: str) -> None:
        self.client = client
        self.configuration = configuration
        self.index = f"{alias(configuration)}-v{docs.MAPPING}"
        if self._is_current():
            # what an interrupted run left behind must count as held
            client.indices.refresh(index=self.index)

    def expected(self, version: Version, collection: str) -> pa.Table:
        return version.table(collection, ["id", "content_hash"])

    def actual(self, collection: str) -> pa.Table:
        import pyarrow as pa

        pairs = list(self._states(collection)) if self._is_current() else []
        return pa.table(
            {
                "id": pa.array([id_ for id_, _ in pairs], pa.string()),
                "content_hash": pa.array([content_hash for _, content_hash in pairs], pa.string()),
            }
        )

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        is_new = not self._is_current()
        if is_new:
            self.client.indices.delete(index=self.index, ignore_unavailable=True)
            made = self.client.indices.create(
                index=self.index, mappings=mappings(self.configuration), settings=SETTINGS
            )
            if not made["shards_acknowledged"]:
                raise TransientError(f"the server has no place for {self.index} (setting {SETTING})")
        yield
        self.client.indices.refresh(index=self.index)
        if is_new:
            self._switch()

    def delete(self, collection: str, ids: pa.Array) -> None:
        self._bulk({"_op_type": "delete", "_id": docs.key(collection, id_)} for id_ in ids.to_pylist())

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        sent = 0

        def actions() -> Iterator[dict[str, Any]]:
            nonlocal sent
            for batch in docs.documents(version, collection, ids):
                for document in batch:
                    sent += sum(len(value) for value in document.values() if isinstance(value, str))
                    yield {"_id": docs.key(collection, document["id"]), "_source": document}

        self._bulk(actions())
        return sent

    def _bulk(self, actions: Iterator[dict[str, Any]]) -> None:
        """In parallel batches. A document that was to be deleted and is not there is what was wanted."""
        from elasticsearch.helpers import parallel_bulk

        for done, item in parallel_bulk(
            self.client,
            actions,
            index=self.index,
            thread_count=BULK_THREADS,
            queue_size=BULK_THREADS,
            chunk_size=BULK_DOCUMENTS,
            max_chunk_bytes=BULK_BYTES,
            raise_on_error=False,
        ):
            (operation, result) = next(iter(item.items()))
            if not done and not (operation == "delete" and result["status"] == 404):
                kind = TransientError if result["status"] in _TRANSIENT else PermanentError
                raise kind(
                    f"search: document {result['_id']} was refused: {result.get('error')} (setting {SETTING})"
                )

    def _states(self, collection: str) -> Iterator[tuple[str, str]]:
        """Ids and hashes from the columns of the index, 10,000 a page, of one moment."""
        pit = self.client.open_point_in_time(index=self.index, keep_alive="2m")["id"]
        after: list[Any] | None = None
        try:
            while True:
                page = self.client.search(
                    pit={"id": pit, "keep_alive": "2m"},
                    query={"term": {"collection": collection}},
                    docvalue_fields=[{"field": "id"}, {"field": "content_hash"}],
                    source=False,
                    size=PAGE,
                    sort=["_shard_doc"],
                    search_after=after,
                    track_total_hits=False,
                    filter_path=["pit_id", "hits.hits.fields", "hits.hits.sort"],
                )
                pit, found = page["pit_id"], page.get("hits", {}).get("hits", [])
                for h in found:
                    yield h["fields"]["id"][0], h["fields"]["content_hash"][0]
                if len(found) < PAGE:
                    return
                after = found[-1]["sort"]
        finally:
            self.client.close_point_in_time(id=pit)

    def _is_current(self) -> bool:
        return bool(self.client.indices.exists_alias(name=alias(self.configuration), index=self.index))

    def _switch(self) -> None:
        """One atomic request: the alias moves and the indexes of other mappings go."""
        old = [index for index in _indexes(self.client, self.configuration) if index != self.index]
        actions: list[dict[str, Any]] = [{"remove_index": {"index": index}} for index in old]
        self.client.indices.update_aliases(
            actions=[*actions, {"add": {"index": self.index, "alias": alias(self.configuration)}}]
        )


def alias(configuration: str) -> str:
    return _PREFIX + slug(configuration)


@contextlib.contextmanager
def translated(server: str) -> Generator[None]:
    """Turns the client's errors into `PermanentError` and `TransientError`, named by server and setting."""
    import elasticsearch as es

    try:
        yield
    except es.ApiError as error:
        kind = TransientError if error.status_code in _TRANSIENT else PermanentError
        raise kind(f"{server}: {str(error)[:500]} (setting {SETTING})") from error
    except (es.SSLError, es.UnsupportedProductError) as error:
        raise PermanentError(f"{server}: {error} (see the setting {SETTING})") from error
    except es.TransportError as error:
        raise TransientError(f"{server}: {error.message} (see the setting {SETTING})") from error


_TRANSIENT = (408, 429, 502, 503, 504)


def _indexes(client: es.Elasticsearch, configuration: str) -> list[str]:
    return list(
        client.indices.get(index=f"{alias(configuration)}-v*", expand_wildcards="all", features=["aliases"])
    )
