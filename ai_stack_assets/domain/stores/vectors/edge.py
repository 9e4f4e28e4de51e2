"""Qdrant's engine inside this process (`qdrant-edge-py`): one shard folder per configuration and space, no
server.

    <root>/<configuration>/published.json     what readers see; replaced by one rename
    <root>/<configuration>/<space>/           the shard
    <root>/.locks/                            never removed: others may wait for these very files

A shard admits one process, reading or writing. So all open, work and close under a file lock with a bounded
wait: a reader waits for a writer of the same space (an incremental write takes a second or two), never for
one that builds a new space. The graph index (HNSW) is not built: it costs 19 s for 60,000 points and saves 4
of the 8 ms that a query takes.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common import files
from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.stores.room import room
from ai_stack_assets.domain.stores.vectors.engine import INDEXED, Found, Published, Where

if TYPE_CHECKING:
    import numpy as np
    import qdrant_edge

WAIT_SECONDS = 300.0
"""For another process to let go. Longer than the first synchronisation of a large configuration."""
_POINTER = "published.json"
_NO_GRAPH = 2**40
"""Indexing threshold in KB that no shard reaches: `optimize` then only takes out deleted points."""
_PAGE = 20_000
ROOM_BYTES = 128 << 20
"""More than what opening a shard and one write of 2,048 points may fill."""
_REBUILD = (
    "They are made anew from the lake by: make run ARGS=--rebuild=vectors (or rebuild: true in the launchpad)"
)


class InUseError(TransientError):
    """Another run has the shard open."""


class EdgeEngine:
    """All embedded shards under one folder (`<data>/vectors`)."""

    def __init__(self, root: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        self.root, self.wait_seconds = Path(root), wait_seconds

    def folder(self, configuration: str) -> Path:
        return self.root / slug(configuration)

    def published(self, configuration: str) -> Published | None:
        path = self.folder(configuration) / _POINTER
        with contextlib.suppress(FileNotFoundError):
            return _read(path)[1]
        return None

    def publish(self, configuration: str, published: Published) -> None:
        path = self.folder(configuration) / _POINTER
        files.replace(path, msgspec.json.encode({"configuration": configuration, "published": published}))

    def configurations(self) -> list[str]:
        return sorted(_read(path)[0] for path in self.root.glob(f"*/{_POINTER}"))

    @contextlib.contextmanager
    def writing(self, configuration: str) -> Generator[None]:
        with self._lock(configuration, "writer"):
            yield

    @contextlib.contextmanager
    def open(self, configuration: str, space: str, size: int | None = None) -> Generator[EdgeSpace]:
        path = self.folder(configuration) / space
        with self._lock(configuration, space):
            _require_room(self.root)
            if size is not None and not path.exists():
                _create(path, size)
            shard = _load(path)
            try:
                yield EdgeSpace(shard, path)
            finally:
                shard.close()

    def keep_only(self, configuration: str, spaces: Iterable[str]) -> None:
        """A space that a reader holds open is left for the next time."""
        kept = set(spaces)
        for path in self.folder(configuration).iterdir():
            if path.is_dir() and path.name not in kept:
                with contextlib.suppress(TransientError), self._lock(configuration, path.name, 0):
                    shutil.rmtree(path)

    def drop(self, configuration: str) -> None:
        folder = self.folder(configuration)
        with self.writing(configuration):
            (folder / _POINTER).unlink(missing_ok=True)
            for path in folder.iterdir() if folder.exists() else ():
                with self._lock(configuration, path.name):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _lock(self, configuration: str, name: str, wait_seconds: float | None = None) -> Generator[None]:
        from filelock import FileLock, Timeout

        path = self.root / ".locks" / f"{slug(configuration)}.{name}.lock"
        with room(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        wait = self.wait_seconds if wait_seconds is None else wait_seconds
        lock = FileLock(path, timeout=wait)
        try:
            lock.acquire()
        except Timeout:
            raise InUseError(
                f"vectors of {configuration} are in use by another process; waited {wait:.0f} s for {path}"
            ) from None
        try:
            yield
        finally:
            lock.release()


class EdgeSpace:
    """An open shard. The calls of `Space`, in the engine's own words."""

    def __init__(self, shard: _Shard, path: Path) -> None:
        self.shard, self.path = shard, path

    def upsert(self, point_ids: list[str], vectors: np.ndarray, payloads: list[dict[str, Any]]) -> None:
        import qdrant_edge as edge

        _require_room(self.path)
        rows = zip(point_ids, vectors.tolist(), payloads, strict=True)
        self.shard.update(edge.UpdateOperation.upsert_points([edge.Point(*row) for row in rows]))

    def set_payload(self, point_ids: list[str], payload: dict[str, Any]) -> None:
        import qdrant_edge as edge

        if point_ids:
            self.shard.update(edge.UpdateOperation.set_payload(list(point_ids), payload))

    def clear_payload(self, key: str, where: Where) -> None:
        import qdrant_edge as edge

        self.shard.update(edge.UpdateOperation.delete_payload_by_filter(where.to_filter(edge), [key]))

    def delete(self, where: Where) -> None:
        import qdrant_edge as edge

        self.shard.update(edge.UpdateOperation.delete_points_by_filter(where.to_filter(edge)))

    def scroll(self, where: Where, keys: list[str]) -> Iterator[tuple[Any, dict[str, Any]]]:
        import qdrant_edge as edge

        offset, wanted = None, where.to_filter(edge)
        while True:
            request = edge.ScrollRequest(offset=offset, limit=_PAGE, filter=wanted, with_payload=keys)
            records, offset = self.shard.scroll(request)
            yield from ((record.id, record.payload or {}) for record in records)
            if offset is None:
                return

    def cosines(self, vector: np.ndarray, where: Where) -> dict[str, float]:
        import qdrant_edge as edge

        everything = self.shard.count(edge.CountRequest()) + 1
        query, exact = edge.Query.Nearest(vector.tolist()), edge.SearchParams(exact=True)
        request = edge.QueryRequest(
            limit=everything, query=query, filter=where.to_filter(edge), params=exact, with_payload=False
        )
        return {str(p.id): p.score for p in self.shard.query(request)}

    def count(self, where: Where) -> int:
        import qdrant_edge as edge

        return self.shard.count(edge.CountRequest(filter=where.to_filter(edge)))

    def retrieve(self, point_ids: list[str]) -> list[Found]:
        records = self.shard.retrieve(point_ids, with_payload=True, with_vector=True)
        return [Found(str(r.id), r.payload or {}, vector=r.vector) for r in records]

    def nearest(self, vector: np.ndarray, where: Where, limit: int) -> list[Found]:
        import qdrant_edge as edge

        query = edge.Query.Nearest(vector.tolist())
        request = edge.QueryRequest(limit=limit, query=query, filter=where.to_filter(edge), with_payload=True)
        return [Found(str(p.id), p.payload or {}, p.score) for p in self.shard.query(request)]

    def tidy(self) -> None:
        self.shard.optimize()

    def flush(self) -> None:
        self.shard.flush()


def _require_room(path: Path) -> None:
    """The engine writes through memory maps of files with holes: where there is no room to fill one, the system ends the
    process without a word (SIGBUS)."""
    free = shutil.disk_usage(path).free
    if free < ROOM_BYTES:
        raise TransientError(
            f"no space left for vectors: {free >> 20} MB free at {path}, {ROOM_BYTES >> 20} MB are needed"
        )


def _read(path: Path) -> tuple[str, Published]:
    try:
        pointer = msgspec.json.decode(path.read_bytes())
        return pointer["configuration"], msgspec.convert(pointer["published"], Published)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise PermanentError(f"{path} is damaged ({error}). {_REBUILD}") from error


def _create(path: Path, size: int) -> None:
    """Made beside and renamed, so a folder that exists is a whole shard."""
    import qdrant_edge as edge

    draft = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    vectors = edge.EdgeVectorParams(size=size, distance=edge.Distance.Cosine)
    optimizers = edge.EdgeOptimizersConfig(indexing_threshold=_NO_GRAPH, default_segment_number=1)
    shard = edge.EdgeShard.create(str(draft), edge.EdgeConfig(vectors=vectors, optimizers=optimizers))
    for key, kind in INDEXED.items():
        schema = getattr(edge.PayloadSchemaType, kind.capitalize())
        shard.update(edge.UpdateOperation.create_field_index(key, schema))
    shard.flush()
    shard.close()
    draft.rename(path)


def _load(path: Path) -> _Shard:
    import qdrant_edge as edge

    if not path.exists():
        raise PermanentError(f"no vectors in {path}: synchronise the vector store again")
    with _engine_errors(path):
        return _Shard(edge.EdgeShard.load(str(path)), path)


class _Shard:
    """A shard whose errors are ours."""

    def __init__(self, shard: qdrant_edge.EdgeShard, path: Path) -> None:
        self._shard, self._path = shard, path

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._shard, name)

        def call(*args: Any, **options: Any) -> Any:
            with _engine_errors(self._path):
                return method(*args, **options)

        return call


@contextlib.contextmanager
def _engine_errors(path: Path) -> Generator[None]:
    """The engine raises plain `Exception`; on some damaged files a Rust panic, which is none."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if "WouldBlock" in str(error):
            raise InUseError(f"vectors in {path} are in use by another process") from error
        raise PermanentError(f"vectors in {path} cannot be read ({error}). {_REBUILD}") from error
