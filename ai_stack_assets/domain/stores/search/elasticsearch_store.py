"""Full-text search on an Elasticsearch server, version 9: what it holds of one configuration, writing the difference, and
searching. In which index, and who sees it when: `elasticsearch_indexes`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.contract import EDITED
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search import elasticsearch_indexes as indexes
from ai_stack_assets.domain.stores.search.elasticsearch_client import connect
from ai_stack_assets.domain.stores.search.elasticsearch_errors import SETTING, TRANSIENT, translated
from ai_stack_assets.domain.stores.search.elasticsearch_indexes import alias
from ai_stack_assets.domain.stores.search.elasticsearch_lock import LEASE_SECONDS, writing
from ai_stack_assets.domain.stores.search.elasticsearch_query import compiled
from ai_stack_assets.domain.stores.search.query import Hit, hit, plan

if TYPE_CHECKING:
    import elasticsearch as es
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

BULK_DOCUMENTS = 500
BULK_BYTES = 8 << 20
BULK_THREADS = 2
PAGE = 10_000
"""Largest page that a server allows by default."""
_WANTED = ("_id", "_seq_no", "fields", "sort")


@dataclass(frozen=True)
class Elasticsearch:
    """A server by URL: `https://host:9200`, with a user and a password, or with an API key."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    """PEM file of the authority that signed the server's certificate; empty: those of the machine."""
    request_seconds: float = 60
    retries: int = 3
    lock_seconds: float = 600
    """How long a writer waits for another one of the same configuration."""
    lease_seconds: float = LEASE_SECONDS

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[ElasticsearchStore]:
        """One at a time per configuration, see `elasticsearch_lock`."""
        with self.connected() as client, self._writing(client, configuration) as require_lease:
            yield ElasticsearchStore(client, configuration, require_lease, rebuild=rebuild)

    def _writing(self, client: es.Elasticsearch, configuration: str) -> Any:
        return writing(client, alias(configuration), self.lock_seconds, self.lease_seconds)

    @contextlib.contextmanager
    def connected(self) -> Generator[es.Elasticsearch]:
        """Raises TransientError and PermanentError, for what happens inside the block too."""
        with translated(self.server), contextlib.closing(connect(self)) as client:
            yield client

    def configurations(self) -> list[str]:
        with self.connected() as client:
            found = client.indices.get(
                index=f"{indexes.PREFIX}*", expand_wildcards="open", features=["aliases", "mappings"]
            )
            return sorted(
                {i["mappings"]["_meta"]["configuration"] for i in found.values() if i.get("aliases")}
            )

    def drop(self, configuration: str) -> None:
        with self.connected() as client, self._writing(client, configuration):
            for index in indexes.all_of(client, configuration):
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
                    index=alias(configuration),
                    query=compiled(wanted),
                    # of nothing that is asked, nothing is found: as a query it would be everything
                    size=limit if wanted.words else 0,
                    track_total_hits=False,
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
    writes_in_place = True
    collections = tuple(docs.COLUMNS)

    def __init__(
        self,
        client: es.Elasticsearch,
        configuration: str,
        require_lease: Callable[[], None] = lambda: None,
        *,
        rebuild: bool = False,
    ) -> None:
        self.client, self.configuration, self._require_lease = client, configuration, require_lease
        self._keys: dict[str, str] = {}
        """Keys of documents that have not the one we would give them: somebody else wrote those."""
        self.index, self._written_up_to = ("", -1) if rebuild else indexes.current(client, configuration)

    def expected(self, version: Version, collection: str) -> pa.Table:
        return version.table(collection, ["id", "content_hash"])

    def actual(self, collection: str) -> pa.Table:
        import pyarrow as pa

        pairs = list(self._states(collection)) if self.index else []
        return pa.table(
            {
                "id": pa.array([id_ for id_, _ in pairs], pa.string()),
                "content_hash": pa.array([content_hash for _, content_hash in pairs], pa.string()),
            }
        )

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """In an index beside the one that is searched, which takes its place at the end: whoever dies meanwhile, this
        process or the server, readers see what they saw."""
        self.index = indexes.beside(self.client, self.configuration, self.index)
        yield
        self._require_lease()
        self.client.indices.refresh(index=self.index)
        indexes.publish(self.client, self.configuration, self.index, self._written_up_to)

    def delete(self, collection: str, ids: pa.Array) -> None:
        keys = (docs.key(collection, id_) for id_ in ids.to_pylist())
        self._bulk({"_op_type": "delete", "_id": self._keys.get(key, key)} for key in keys)

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
            self._require_lease()
            (operation, result) = next(iter(item.items()))
            self._written_up_to = max(self._written_up_to, result.get("_seq_no", -1))
            if not done and not (operation == "delete" and result["status"] == 404):
                kind = TransientError if result["status"] in TRANSIENT else PermanentError
                raise kind(
                    f"search: document {result['_id']} was refused: {result.get('error')} (setting {SETTING})"
                )

    def _states(self, collection: str) -> Iterator[tuple[str, str]]:
        """Ids and hashes from the columns of the index, 10,000 a page, of one moment.

        The server counts every write: a document with a higher number than our last one was written by somebody else.
        """
        pit = self.client.open_point_in_time(index=self.index, keep_alive="2m")["id"]
        after: list[Any] | None = None
        try:
            while True:
                page = self.client.search(
                    pit={"id": pit, "keep_alive": "2m"},
                    query={"term": {"collection": collection}},
                    docvalue_fields=[{"field": "id"}, {"field": "content_hash"}],
                    source=False,
                    seq_no_primary_term=True,
                    size=PAGE,
                    sort=["_shard_doc"],
                    search_after=after,
                    track_total_hits=False,
                    filter_path=["pit_id", *(f"hits.hits.{what}" for what in _WANTED)],
                )
                pit, found = page["pit_id"], page.get("hits", {}).get("hits", [])
                for h in found:
                    yield self._state(collection, h)
                if len(found) < PAGE:
                    return
                after = found[-1]["sort"]
        finally:
            self.client.close_point_in_time(id=pit)

    def _state(self, collection: str, h: dict[str, Any]) -> tuple[str, str]:
        fields = h["fields"]
        id_ = fields.get("id", [h["_id"]])[0]
        if (key := docs.key(collection, id_)) != h["_id"]:
            self._keys[key] = h["_id"]
            return id_, EDITED
        is_ours = h["_seq_no"] <= self._written_up_to
        return id_, fields.get("content_hash", [EDITED])[0] if is_ours else EDITED
