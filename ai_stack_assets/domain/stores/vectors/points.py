"""What a point is: its id, payload and content hash, projected from a lake version, and how an edited one is
told. No engine here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import xxhash

from ai_stack_assets.domain.common.hashing import row_hashes
from ai_stack_assets.domain.stores.contract import EDITED
from ai_stack_assets.domain.stores.rows import batches
from ai_stack_assets.domain.vectorisers.texts import (
    METHOD_COLUMNS,
    OBJECT_COLUMNS,
    TEXTS_VERSION,
    field_names,
    texts_of,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

_NAMESPACE = uuid.UUID("6f0c1f5e-54f4-5e0f-9d3b-1c0e5f3a7c11")
_COLUMNS = {
    "objects": ("id", "name", "kind"),
    "methods": ("id", "name", "kind", "object_id", "module_id", "is_export"),
}
_TEXT_STAND_INS = {
    "objects": tuple(c for c in OBJECT_COLUMNS if c not in _COLUMNS["objects"]),
    "methods": ("doc_comment", "body_hash"),
}
"""What else decides the text: a body is known by its hash, so comparing reads no bodies."""
PAYLOAD = {
    "objects": ("id", "name", "kind", "object_id"),
    "methods": ("id", "name", "kind", "object_id", "module_kind", "is_export"),
}


_MILLIONTHS = 1_000_000
_TOLERANCE = 100
"""In millionths: engines add up the same products in another order; differences of 0.02 were seen."""


def probe(size: int) -> np.ndarray:
    """One fixed direction. An engine gives the cosine of every vector to it in 0.1 s for 60,000 points, while
    reading the vectors themselves takes 2 s, and far more through a server: so a vector that somebody changed
    shows by another cosine."""
    import numpy as np

    return np.random.default_rng(size).standard_normal(size).astype(np.float32)


def sealed(payload: dict[str, Any], cosine: float) -> dict[str, Any]:
    """The payload with what tells later whether it and its vector are still as written."""
    whole = {**payload, "probe": round(cosine * _MILLIONTHS)}
    return {**whole, "seal": _seal(whole)}


def verified_hash(payload: dict[str, Any], cosine: float | None) -> str:
    """The point's content hash, or EDITED when its payload or its vector was changed by somebody else."""
    expected = payload.get("probe")
    is_whole = (
        isinstance(expected, int)
        and cosine is not None
        and abs(cosine * _MILLIONTHS - expected) <= _TOLERANCE  # false for NaN
        and payload.get("seal") == _seal(payload)
    )
    return payload["content_hash"] if is_whole else EDITED


SEALED = ("id", "name", "kind", "object_id", "module_kind", "is_export", "content_hash", "probe")


def _seal(payload: dict[str, Any]) -> str:
    return xxhash.xxh3_64_hexdigest("\x1f".join([str(payload.get(key)) for key in SEALED]).encode())


def point_id(configuration: str, row_id: str, slot: int) -> str:
    """A row owns two points: the one that readers see, and the one that the next generation is written to."""
    return str(uuid.uuid5(_NAMESPACE, f"{configuration}\x1f{row_id}\x1f{slot}"))


@dataclass(frozen=True)
class Rows:
    """Rows of one lake version as points. Another `vectoriser` (name and version) makes all differ."""

    version: Version
    vectoriser: str

    def hashes(self, collection: str) -> pa.Table:
        """`id, content_hash` of all rows. It follows payload, text and vectoriser, not line numbers."""
        import pyarrow as pa

        columns = _COLUMNS[collection] + _TEXT_STAND_INS[collection]
        tables = [
            self._projected(collection, b) for b in batches(self.version, collection, None, columns, 65536)
        ]
        schema = pa.schema([pa.field("id", pa.string()), pa.field("content_hash", pa.string())])
        return pa.concat_tables(
            [t.select(schema.names).cast(schema) for t in tables] or [schema.empty_table()]
        )

    def batches(
        self, collection: str, ids: pa.Array | None, rows: int
    ) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
        """Payloads and texts of the rows with these ids, all when None."""
        text_columns = METHOD_COLUMNS if collection == "methods" else OBJECT_COLUMNS
        columns = tuple(dict.fromkeys((*_COLUMNS[collection], *_TEXT_STAND_INS[collection], *text_columns)))
        for batch in batches(self.version, collection, ids, columns, rows):
            projected = self._projected(collection, batch)
            payloads = projected.select([*PAYLOAD[collection], "content_hash"]).to_pylist()
            yield payloads, texts_of(collection, batch, self._fields if collection == "objects" else {})

    def _projected(self, collection: str, batch: pa.RecordBatch) -> pa.Table:
        import pyarrow as pa

        rows = batch.num_rows
        columns = {name: batch.column(name) for name in (*_COLUMNS[collection], *_TEXT_STAND_INS[collection])}
        if collection == "methods":
            kinds = self._module_kinds
            columns["is_export"] = columns["is_export"].cast(pa.int8())
            columns["module_kind"] = pa.array(map(kinds.get, columns["module_id"].to_pylist()), pa.string())
        else:
            columns["object_id"] = columns["id"]
            columns["fields"] = pa.array(map(self._fields.get, columns["id"].to_pylist()), pa.string())
        columns["vectoriser"] = pa.array([f"{self.vectoriser}/{TEXTS_VERSION}"] * rows, pa.string())
        table = pa.table(columns)
        return table.append_column("content_hash", row_hashes(table))

    @cached_property
    def _fields(self) -> dict[str, str]:
        return field_names(self.version)

    @cached_property
    def _module_kinds(self) -> dict[str, str]:
        modules = self.version.table("modules", ["id", "kind"])
        return dict(zip(modules["id"].to_pylist(), modules["kind"].to_pylist(), strict=True))
