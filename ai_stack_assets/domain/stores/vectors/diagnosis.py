"""What ails the vectors, see `stores.doctor`: a Qdrant server, or the embedded shards."""

from __future__ import annotations

import uuid

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.doctor import Findings
from ai_stack_assets.domain.stores.places import installed, try_folder
from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine, InUseError
from ai_stack_assets.domain.stores.vectors.engine import Engine, Where
from ai_stack_assets.domain.stores.vectors.server import ServerEngine
from ai_stack_assets.domain.stores.vectors.store import VectorStores

OLDEST = (1, 10)
"""Of the query API that searches use."""


def diagnose(client: VectorStores) -> Findings:
    engine = client.engine
    if isinstance(engine, EdgeEngine):
        yield from _embedded(engine)
        engine = EdgeEngine(engine.root, wait_seconds=0)
    if isinstance(engine, ServerEngine):
        yield from _server(engine)
    yield "schema", _published(engine)


def _server(engine: ServerEngine) -> Findings:
    from qdrant_client import models

    engine.client.get_collections()
    yield "reachable", engine.url
    version = engine.client.info().version
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise PermanentError(
            f"Qdrant {version} is too old, {needed} or later is needed: name another in QDRANT_URL"
        )
    yield "version", f"Qdrant {version}"
    probe = f"onec-doctor-{uuid.uuid4().hex}"
    size = models.VectorParams(size=1, distance=models.Distance.COSINE)
    try:
        engine.client.create_collection(probe, vectors_config=size)
        engine.client.upsert(probe, [models.PointStruct(id=1, vector=[1.0])], wait=True)
    finally:
        engine.client.delete_collection(probe)
    yield "rights", "created, wrote and removed a collection"


def _embedded(engine: EdgeEngine) -> Findings:
    try_folder(engine.root)
    yield "reachable", str(engine.root)
    yield "version", f"qdrant-edge-py {installed('qdrant-edge-py')}"
    yield "rights", "wrote, locked and removed a file"


def _published(engine: Engine) -> str:
    """Opens what readers of each configuration see; what another run works with is well enough for that."""
    names, in_use = engine.configurations(), 0
    for name in names:
        if published := engine.published(name):
            try:
                with engine.open(name, published.space) as space:
                    space.count(Where())
            except InUseError:
                in_use += 1
    busy = f", {in_use} of them in use by another run" if in_use else ""
    return f"points of {len(names)} configurations open{busy}"
