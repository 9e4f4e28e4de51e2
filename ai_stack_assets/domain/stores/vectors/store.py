"""The vector store: a point per object and per method, switched from one version to the next at once.

Qdrant has no transactions, so points carry generations: `valid_from`, and `valid_to` once replaced. Readers
ask for the published generation G; a synchronisation writes points that begin at G+1 and ends the ones they
replace at G+1, none of which readers of G notice; then one atomic write publishes G+1. A kill before it
leaves G whole, and the next synchronisation first takes back what begins or ends after G. Points that ended
are deleted by the next synchronisation, not by this one: a reader that has just asked for G still finds them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.contract import EDITED
from ai_stack_assets.domain.stores.vectors.engine import (
    Engine,
    Found,
    Published,
    Space,
    Value,
    Where,
    visible,
)
from ai_stack_assets.domain.stores.vectors.points import SEALED, Rows, point_id, probe, sealed, verified_hash

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers
    from ai_stack_assets.domain.vectorisers.contract import Vectoriser

COLLECTIONS = ("objects", "methods")
ROWS_PER_WRITE = 2048
FILTERS = ("kind", "module_kind", "object_id", "is_export")
"""What a search can be narrowed by."""


class VectorStores:
    """`OpenStore` over an engine. Fit the vectoriser first: the space of the current one is opened."""

    def __init__(self, engine: Engine, vectorisers: Vectorisers) -> None:
        self.engine, self.vectorisers = engine, vectorisers

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[VectorStore]:
        vectoriser = self.vectorisers.current(configuration)
        space = space_name(vectoriser)
        if rebuild and not self._is_readable(configuration, space, vectoriser.size):
            self.engine.drop(configuration)
        with (
            self.engine.writing(configuration),
            self.engine.open(configuration, space, vectoriser.size) as opened,
        ):
            yield VectorStore(configuration, self.engine, opened, vectoriser, rebuild=rebuild)

    def _is_readable(self, configuration: str, space: str, size: int) -> bool:
        try:
            published = self.engine.published(configuration)
            with self.engine.open(configuration, space, size) as opened:
                where = visible(published.generation if published else 0)
                opened.cosines(probe(size), where)
                return all(True for _ in opened.scroll(where, [*SEALED, "seal"]))
        except PermanentError:
            return False

    def configurations(self) -> list[str]:
        return self.engine.configurations()

    def drop(self, configuration: str) -> None:
        self.engine.drop(configuration)

    def similar(
        self,
        configuration: str,
        *,
        text: str = "",
        row_id: str = "",
        tables: Sequence[str] = COLLECTIONS,
        limit: int = 10,
        filters: dict[str, Value] | None = None,
    ) -> list[Found]:
        """Points nearest to a text, or to a row of the lake (itself left out), best first; `payload["id"]` is
        the row's id.

        `filters` narrow by kind, module_kind, object_id, is_export: a value, or a list of which any will do.
        Raises PermanentError when nothing is published, the row is not there, or the points are not all
        there.
        """
        if unknown := set(filters or {}) - set(FILTERS):
            raise PermanentError(
                f"cannot filter vectors by {', '.join(sorted(unknown))}; by {', '.join(FILTERS)} only"
            )
        with self._reading(configuration) as (space, published):
            if row_id:
                vector = _vector_of(configuration, space, published.generation, row_id)
            else:
                vector = self._query_vector(configuration, published.space, text)
            where = visible(published.generation, {"table": list(tables), **(filters or {})})
            found = space.nearest(vector, where, limit + bool(row_id))
        return [f for f in found if not row_id or f.payload["id"] != row_id][:limit]

    @contextlib.contextmanager
    def _reading(self, configuration: str) -> Generator[tuple[Space, Published]]:
        """The published space, whole. What is published may move while we wait for the space to open."""
        published = self._published(configuration)
        with contextlib.ExitStack() as stack:
            space = stack.enter_context(self.engine.open(configuration, published.space))
            if (now := self._published(configuration)).space != published.space:
                stack.close()
                space = stack.enter_context(self.engine.open(configuration, now.space))
            _require_all(configuration, space, now)
            yield space, now

    def _published(self, configuration: str) -> Published:
        published = self.engine.published(configuration)
        if published is None:
            raise PermanentError(f"no vectors of {configuration} yet: synchronise the vector store first")
        return published

    def _query_vector(self, configuration: str, space: str, text: str) -> Any:
        if not text.strip():
            raise PermanentError("an empty text is similar to nothing: give some words, or a row's id")
        name, version = space.rsplit("-", 1)
        vector = self.vectorisers.load(configuration, name, version).encode_queries([text])[0]
        if not vector.any():
            raise PermanentError(f"not a word of {text[:100]!r} occurs in {configuration}")
        return vector


class VectorStore:
    """`Store` of one configuration, in the space of one vectoriser."""

    name = "qdrant"
    writes_in_place = False
    collections = COLLECTIONS

    def __init__(
        self,
        configuration: str,
        engine: Engine,
        space: Space,
        vectoriser: Vectoriser,
        *,
        rebuild: bool = False,
    ) -> None:
        self.configuration, self.engine, self._rebuild = configuration, engine, rebuild
        self.space, self.vectoriser = space, vectoriser
        self._read: dict[str, tuple[list[str], list[Any]]] = {}
        """Row ids and their points, by collection, as last read."""
        self._rows: Rows | None = None
        self._hashes: dict[str, pa.Table] = {}

    @cached_property
    def _published(self) -> Published | None:
        return self.engine.published(self.configuration)

    @property
    def _visible(self) -> int:
        """Generation that readers see of this space; 0 when they see another space or nothing."""
        published = self._published
        return published.generation if published and published.space == space_name(self.vectoriser) else 0

    @property
    def _next(self) -> int:
        return self._published.generation + 1 if self._published else 1

    def expected(self, version: Version, collection: str) -> pa.Table:
        rows = self._rows_of(version)
        if collection not in self._hashes:
            self._hashes[collection] = rows.hashes(collection)
        return self._hashes[collection]

    def actual(self, collection: str) -> pa.Table:
        import pyarrow as pa

        ids, hashes, points = [], [], []
        where = visible(self._visible, {"table": collection})
        cosines = self.space.cosines(probe(self.vectoriser.size), where)
        for point, payload in self.space.scroll(where, [*SEALED, "seal"]):
            ids.append(payload.get("id") or str(point))
            hashes.append(EDITED if self._rebuild else verified_hash(payload, cosines.get(str(point))))
            points.append(point)
        self._read[collection] = ids, points
        return pa.table({"id": pa.array(ids, pa.string()), "content_hash": pa.array(hashes, pa.string())})

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        self._clean()
        yield
        self.space.flush()
        self._publish()

    def delete(self, collection: str, ids: pa.Array) -> None:
        self._end(ids, self._known(collection))

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        known, sent = self._known(collection), 0
        if ids is not None:
            self._end(ids, known)
        for payloads, texts in self._rows_of(version).batches(collection, ids, ROWS_PER_WRITE):
            vectors = self.vectoriser.encode_documents(texts)
            common = {"table": collection, "configuration": self.configuration, "valid_from": self._next}
            cosines = _cosines(vectors, probe(self.vectoriser.size))
            whole = [{**sealed(p, c), **common} for p, c in zip(payloads, cosines, strict=True)]
            self.space.upsert([self._free(payload["id"], known) for payload in payloads], vectors, whole)
            sent += vectors.nbytes + len(msgspec.json.encode(whole))
        return sent

    def _end(self, ids: pa.Array, known: dict[str, list[str]]) -> None:
        ended = [point for row_id in ids.to_pylist() for point in known.get(row_id, ())]
        self.space.set_payload(ended, {"valid_to": self._next})

    def _free(self, row_id: str, known: dict[str, list[str]]) -> str:
        first = point_id(self.configuration, row_id, 0)
        return first if first not in known.get(row_id, ()) else point_id(self.configuration, row_id, 1)

    def _clean(self) -> None:
        """Take back an interrupted synchronisation; delete what ended, and spaces that nobody needs."""
        now = self._visible
        self.space.delete(Where(more_than={"valid_from": now}))
        self.space.clear_payload("valid_to", Where(more_than={"valid_to": now}))
        self.space.delete(Where(at_most={"valid_to": now}))
        self.space.tidy()
        kept = {space_name(self.vectoriser)} | ({self._published.space} if self._published else set())
        self.engine.keep_only(self.configuration, kept)

    def _publish(self) -> None:
        if self.engine.published(self.configuration) != self._published:
            raise TransientError(
                f"vectors of {self.configuration} were published by another run meanwhile: run again"
            )
        rows = self.space.count(visible(self._next, {"table": list(COLLECTIONS)}))
        published = Published(space_name(self.vectoriser), self._next, rows)
        self.engine.publish(self.configuration, published)
        self._published, self._rebuild = published, False
        self._read.clear()

    def _known(self, collection: str) -> dict[str, list[str]]:
        """Points by row id: one each, unless somebody else wrote there."""
        if collection not in self._read:
            self.actual(collection)
        known: dict[str, list[str]] = {}
        for row_id, point in zip(*self._read[collection], strict=True):
            known.setdefault(row_id, []).append(str(point))
        return known

    def _rows_of(self, version: Version) -> Rows:
        if self._rows is None or self._rows.version != version:
            self._rows = Rows(version, space_name(self.vectoriser))
            self._hashes.clear()
        return self._rows


def _cosines(vectors: np.ndarray, direction: np.ndarray) -> list[float]:
    """As engines give them; 0 for a vector of zeros."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(direction)
    return (vectors @ direction / np.where(lengths > 0, lengths, 1)).tolist()


def space_name(vectoriser: Vectoriser) -> str:
    return f"{vectoriser.name}-{vectoriser.version}"


def _require_all(configuration: str, space: Space, published: Published) -> None:
    """A shard that lost files opens without complaint and answers from what is left: that is no answer."""
    rows = space.count(visible(published.generation, {"table": list(COLLECTIONS)}))
    if rows < published.rows:
        raise PermanentError(
            f"vectors of {configuration} are damaged: {rows} of {published.rows} are left; "
            "synchronise again to repair them"
        )


def _vector_of(configuration: str, space: Space, generation: int, row_id: str) -> Any:
    import numpy as np

    for found in space.retrieve([point_id(configuration, row_id, slot) for slot in (0, 1)]):
        begins, ends = found.payload.get("valid_from", 0), found.payload.get("valid_to", generation + 1)
        if begins <= generation < ends:
            return np.asarray(found.vector, np.float32)
    raise PermanentError(f"{row_id} is not among the vectors of {configuration}")
