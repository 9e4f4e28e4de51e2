"""A Qdrant server (`qdrant-client`): one collection per space, shared by configurations, told apart by a
payload key.

    onec-<space>       points of all configurations whose current vectoriser it is
    onec-published     one point per configuration: what its readers see; upserting one point is atomic

An alias could name a space but not a generation, so what is published is a point and not an alias. The server
builds its graph index by itself, in the background.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError, retry_after
from ai_stack_assets.domain.stores.vectors.engine import INDEXED, Found, Published, Where

if TYPE_CHECKING:
    import numpy as np
    from qdrant_client import QdrantClient

PREFIX = "onec-"
_POINTERS = PREFIX + "published"
_NAMESPACE = uuid.UUID("0e5b5c1a-7a55-5a0b-8a53-3f6c8f1d2b90")
_PAGE = 10_000
_FLOATS_PER_REQUEST = 500_000
"""About 6 MB of JSON; servers refuse more than 32 MB."""
_TIMEOUT_SECONDS = 60


class ServerEngine:
    """`url` is QDRANT_URL, `api_key` QDRANT_API_KEY, `ca` QDRANT_CA; `connect` makes another client, in tests."""

    def __init__(
        self, url: str, api_key: str = "", connect: Callable[[], QdrantClient] | None = None, *, ca: str = ""
    ) -> None:
        self.url, self.api_key, self.ca, self._connect = url, api_key, ca, connect

    @cached_property
    def client(self) -> Any:
        from qdrant_client import QdrantClient

        authority: Any = {"verify": self.ca} if self.ca else {}
        connect = self._connect or (
            lambda: QdrantClient(
                url=self.url,
                api_key=self.api_key or None,
                timeout=_TIMEOUT_SECONDS,
                check_compatibility=False,
                **authority,
            )
        )
        with _server_errors(self.url):
            return _Client(connect(), self.url)

    def published(self, configuration: str) -> Published | None:
        if not self.client.collection_exists(_POINTERS):
            return None
        found = self.client.retrieve(_POINTERS, [_pointer_id(configuration)], with_payload=True)
        return msgspec.convert(found[0].payload["published"], Published) if found else None

    def publish(self, configuration: str, published: Published) -> None:
        from qdrant_client import models

        if not self.client.collection_exists(_POINTERS):
            self._create(_POINTERS, 1, {})
        payload = {"configuration": configuration, "published": msgspec.to_builtins(published)}
        point = models.PointStruct(id=_pointer_id(configuration), vector=[1.0], payload=payload)
        self.client.upsert(_POINTERS, [point], wait=True)

    def configurations(self) -> list[str]:
        if not self.client.collection_exists(_POINTERS):
            return []
        found = _scroll(self.client, _POINTERS, None, ["configuration"])
        return sorted(payload["configuration"] for _, payload in found)

    @contextlib.contextmanager
    def writing(self, configuration: str) -> Generator[None]:
        """A server holds no lock for us: the run queue admits one, and publishing notices a second."""
        yield

    @contextlib.contextmanager
    def open(self, configuration: str, space: str, size: int | None = None) -> Generator[ServerSpace]:
        collection = PREFIX + space
        if not self.client.collection_exists(collection):
            if size is None:
                raise PermanentError(
                    f"no collection {collection} at {self.url}: synchronise the vector store again"
                )
            self._create(collection, size, {"configuration": "keyword", **INDEXED})
        yield ServerSpace(self.client, collection, configuration)

    def keep_only(self, configuration: str, spaces: Iterable[str]) -> None:
        kept = {PREFIX + space for space in spaces} | {_POINTERS}
        for collection in self.client.get_collections().collections:
            if collection.name.startswith(PREFIX) and collection.name not in kept:
                ServerSpace(self.client, collection.name, configuration).delete(Where())
                if not self.client.count(collection.name, exact=True).count:
                    self.client.delete_collection(collection.name)

    def drop(self, configuration: str) -> None:
        from qdrant_client import models

        if self.client.collection_exists(_POINTERS):
            pointer = models.PointIdsList(points=[_pointer_id(configuration)])
            self.client.delete(_POINTERS, points_selector=pointer, wait=True)
        self.keep_only(configuration, ())

    def _create(self, collection: str, size: int, indexes: dict[str, str]) -> None:
        from qdrant_client import models

        distance = models.Distance.COSINE
        vectors = models.VectorParams(size=size, distance=distance)
        self.client.create_collection(collection, vectors_config=vectors)
        for key, kind in indexes.items():
            self.client.create_payload_index(
                collection, key, field_schema=models.PayloadSchemaType(kind), wait=True
            )


class ServerSpace:
    """One configuration's points in one collection. The calls of `Space`, in the client's words."""

    def __init__(self, client: Any, collection: str, configuration: str) -> None:
        self.client, self.collection, self.configuration = client, collection, configuration

    def upsert(self, point_ids: list[str], vectors: np.ndarray, payloads: list[dict[str, Any]]) -> None:
        from qdrant_client import models

        step = max(1, _FLOATS_PER_REQUEST // max(1, vectors.shape[1]))
        for start in range(0, len(point_ids), step):
            part = slice(start, start + step)
            points = models.Batch(
                ids=point_ids[part], vectors=vectors[part].tolist(), payloads=payloads[part]
            )
            self.client.upsert(self.collection, points, wait=True)

    def set_payload(self, point_ids: list[str], payload: dict[str, Any]) -> None:
        for start in range(0, len(point_ids), _PAGE):
            self.client.set_payload(
                self.collection, payload, points=point_ids[start : start + _PAGE], wait=True
            )

    def clear_payload(self, key: str, where: Where) -> None:
        self.client.delete_payload(self.collection, [key], points=self._filter(where), wait=True)

    def delete(self, where: Where) -> None:
        from qdrant_client import models

        selector = models.FilterSelector(filter=self._filter(where))
        self.client.delete(self.collection, points_selector=selector, wait=True)

    def scroll(self, where: Where, keys: list[str]) -> Iterator[tuple[Any, dict[str, Any]]]:
        return _scroll(self.client, self.collection, self._filter(where), keys)

    def cosines(self, vector: np.ndarray, where: Where) -> dict[str, float]:
        from qdrant_client import models

        found = self.client.query_points(
            self.collection,
            query=vector.tolist(),
            query_filter=self._filter(where),
            search_params=models.SearchParams(exact=True),
            limit=self.count(where) + 1,
            with_payload=False,
        )
        return {str(p.id): p.score for p in found.points}

    def count(self, where: Where) -> int:
        return self.client.count(self.collection, count_filter=self._filter(where), exact=True).count

    def retrieve(self, point_ids: list[str]) -> list[Found]:
        records = self.client.retrieve(self.collection, point_ids, with_payload=True, with_vectors=True)
        return [Found(str(r.id), r.payload or {}, vector=r.vector) for r in records]

    def nearest(self, vector: np.ndarray, where: Where, limit: int) -> list[Found]:
        found = self.client.query_points(
            self.collection,
            query=vector.tolist(),
            query_filter=self._filter(where),
            limit=limit,
            with_payload=True,
        )
        return [Found(str(p.id), p.payload or {}, p.score) for p in found.points]

    def tidy(self) -> None:
        """The server does by itself."""

    def flush(self) -> None:
        """Every write above was waited for."""

    def _filter(self, where: Where) -> Any:
        from qdrant_client import models

        mine = {"configuration": self.configuration, **where.equal}
        return replace(where, equal=mine).to_filter(models)


class _Client:
    """A client whose errors are ours."""

    def __init__(self, client: QdrantClient, url: str) -> None:
        self._client, self._url = client, url

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **options: Any) -> Any:
            with _server_errors(self._url):
                return method(*args, **options)

        return call


@contextlib.contextmanager
def _server_errors(url: str) -> Generator[None]:
    import httpx
    from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except UnexpectedResponse as error:
        code = error.status_code or 0
        if code == 429 or code >= 500:
            message = f"Qdrant at {url} (QDRANT_URL) answers {code}: {error}"
            raise TransientError(message, retry_after(error.headers)) from error
        setting = "QDRANT_API_KEY" if code in (401, 403) else "QDRANT_URL, QDRANT_API_KEY"
        raise PermanentError(f"Qdrant at {url} refuses with {code}; check {setting}: {error}") from error
    except ResourceExhaustedResponse as error:
        message = f"Qdrant at {url} (QDRANT_URL) is overloaded: {error}"
        raise TransientError(message, error.retry_after_s) from error
    except QdrantException as error:  # the client cannot read a Retry-After that is a date
        raise TransientError(f"Qdrant at {url} (QDRANT_URL) is overloaded: {error}") from error
    except (ResponseHandlingException, httpx.HTTPError, OSError) as error:
        if "CERTIFICATE" in str(error).upper() or "SSL" in str(error).upper():
            message = f"Qdrant at {url}: no secure connection, check QDRANT_URL and QDRANT_CA: {error}"
            raise PermanentError(message) from error
        raise TransientError(f"Qdrant cannot be reached at {url} (QDRANT_URL): {error}") from error
    except ValueError as error:
        raise PermanentError(f"Qdrant cannot be used at {url}; check QDRANT_URL: {error}") from error


def _scroll(
    client: Any, collection: str, where: Any, keys: list[str]
) -> Iterator[tuple[Any, dict[str, Any]]]:
    offset = None
    while True:
        records, offset = client.scroll(
            collection, scroll_filter=where, limit=_PAGE, offset=offset, with_payload=keys, with_vectors=False
        )
        yield from ((record.id, record.payload or {}) for record in records)
        if offset is None:
            return


def _pointer_id(configuration: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, configuration))
