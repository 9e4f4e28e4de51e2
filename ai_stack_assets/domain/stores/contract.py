"""What a store must offer to be kept in agreement with the lake. One implementation per engine; no engine here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

EDITED = "edited"
"""In place of the content hash of a row that is not as it was written, whatever its stored hash says."""


class Store(Protocol):
    """One configuration's share of one engine, opened for reading and writing.

    A collection is one kind of row that the store keeps: a table, a node label, an edge type, an index. What it should hold
    is a projection of a lake version; what it does hold is read from the engine itself, never from notes beside it, so an
    interrupted write or a hand-made edit shows as a difference and the next synchronisation repairs it.
    """

    name: str
    configuration: str
    writes_in_place: bool
    """Whether the engine leaves a collection alone that is not written to. It needs no second look after a write then,
    as one does that lies in a file which is written anew, or whose rows are published together with the others."""

    @property
    def collections(self) -> tuple[str, ...]:
        """In the order of writing: what is pointed at comes first. Deletion goes the other way."""
        ...

    def expected(self, version: Version, collection: str) -> pa.Table:
        """`id: string, content_hash: string` of every row that the collection should hold."""
        ...

    def actual(self, collection: str) -> pa.Table:
        """`id: string, content_hash: string` of every row that the engine holds for this configuration."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Readers see all that is written inside, or nothing of it."""
        ...

    def delete(self, collection: str, ids: pa.Array) -> None: ...

    def upsert(self, version: Version, collection: str, ids: pa.Array | None) -> int:
        """Write the rows with these ids (all when None: the collection is empty). Returns bytes sent."""
        ...


class OpenStore(Protocol):
    """A plain client: opens a store of one configuration, and closes it again whatever happens."""

    def open(self, configuration: str, *, rebuild: bool = False) -> AbstractContextManager[Store]:
        """`rebuild`: the store shows itself as empty (or all different), also when what it holds cannot be read, and the
        synchronisation writes all of it anew. Readers keep the old state meanwhile, where the engine can."""
        ...

    def configurations(self) -> list[str]:
        """Those that the engine holds rows of."""
        ...

    def drop(self, configuration: str) -> None:
        """Remove all rows of a configuration."""
        ...


def batched(ids: pa.Array, size: int) -> Iterator[pa.Array]:
    for start in range(0, len(ids), size):
        yield ids.slice(start, size)
