"""Shards of the dataset: Parquet and JSONL files, one set that may be published and one with everything for use inside.

    public/train-00000-of-00002.parquet      rows whose licence and owner allow it
    internal/train-00000-of-00003.parquet    all rows, marked by `is_publishable`

Written as tables of a stage (`domain.dataset.stage`). Equal rows give equal bytes, so an unchanged week has unchanged files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import xxhash

from ai_stack_assets.domain.common.hashing import sha256_file
from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.sources.licences import PERMISSIVE

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.dataset.stage import Parts

CODE_VERSION = "2"
SPLITS = ("train", "validation", "test")
PUBLIC, INTERNAL = "public", "internal"
PARQUET, JSONL = "parquet", "jsonl"
SUFFIXES = {PARQUET: ".parquet", JSONL: ".jsonl.zst"}
ROWS_PER_SHARD = 100_000
"""About 30 MB of compressed BSL: small enough to stream, large enough that a million methods are ten files."""


@dataclass
class SplitFacts:
    """What one split of one audience holds. `digest` is over id and content hash of its rows, in order."""

    rows: int = 0
    bytes: int = 0
    digest: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: `sha256`, `bytes`, `rows`."""


def export(
    splits: Version, parts: Parts, kind: str, licences: Collection[str] = PERMISSIVE
) -> dict[str, dict[str, dict[str, Any]]]:
    """Write all shards of a kind. Returns `SplitFacts` as plain values by audience and split.

    Args:
        licences: of public places: other places of a public record are not told.
    """
    return {
        audience: {
            split: asdict(_export_split(splits, parts, kind, audience, split, licences)) for split in SPLITS
        }
        for audience in (PUBLIC, INTERNAL)
    }


def _export_split(
    splits: Version, parts: Parts, kind: str, audience: str, split: str, licences: Collection[str]
) -> SplitFacts:
    total = _count(splits, split, audience)
    shards = max(1, -(-total // ROWS_PER_SHARD))
    facts, digest = SplitFacts(), Digest()
    rows = _batches(splits, split, audience, licences)
    for number, shard in enumerate(_sharded(rows, shards)):
        name = f"{split}-{number:05}-of-{shards:05}{SUFFIXES[kind]}"
        path = parts.file(audience, name)
        written = 0
        with _WRITERS[kind](path) as write:
            for batch in shard:
                write(batch)
                digest.add(batch)
                written += batch.num_rows
        size = path.stat().st_size
        parts.add_file(audience, path, written)
        facts.files[name] = {"sha256": sha256_file(path), "bytes": size, "rows": written}
        facts.rows, facts.bytes = facts.rows + written, facts.bytes + size
    facts.digest = digest.hex()
    return facts


class Digest:
    """Of ids and content hashes in order: two copies of a split are the same rows when their digests are equal."""

    def __init__(self) -> None:
        self._hash = xxhash.xxh3_128()

    def add(self, rows: pa.RecordBatch | pa.Table) -> None:
        for name, content in zip(rows["id"].to_pylist(), rows["content_hash"].to_pylist(), strict=True):
            self._hash.update(f"{name}\x1f{content}\n".encode())

    def hex(self) -> str:
        return self._hash.hexdigest()


def _count(splits: Version, split: str, audience: str) -> int:
    if audience == INTERNAL:
        return splits.rows(split)
    import pyarrow.compute as pc

    return sum(pc.sum(b["is_publishable"]).as_py() or 0 for b in splits.batches(split, ["is_publishable"]))


def _batches(
    splits: Version, split: str, audience: str, licences: Collection[str]
) -> Iterator[pa.RecordBatch]:
    for batch in splits.batches(split, list(records.COLUMNS)):
        yield _public(batch.filter(batch["is_publishable"]), licences) if audience == PUBLIC else batch


def _public(batch: pa.RecordBatch, licences: Collection[str]) -> pa.RecordBatch:
    """Without the private places that the same code was found at: a company's configuration or server, a paid article."""
    import pyarrow as pa

    own = zip(batch["source"].to_pylist(), batch["repository"].to_pylist(), strict=True)
    places = [
        [
            place
            for place in found
            if (place["source"], place["repository"]) == of
            or (place["source"] == records.GITHUB and place["licence"] in licences)
        ]
        for of, found in zip(own, batch["provenances"].to_pylist(), strict=True)
    ]
    position = batch.schema.get_field_index("provenances")
    column = batch.schema.field(position)
    return batch.set_column(position, column, pa.array(places, column.type))


def _sharded(batches: Iterator[pa.RecordBatch], shards: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows cut every ROWS_PER_SHARD; each piece must be used up before the next."""
    rest: list[pa.RecordBatch] = []

    def piece() -> Iterator[pa.RecordBatch]:
        room = ROWS_PER_SHARD
        while room and (batch := rest.pop() if rest else next(batches, None)) is not None:
            if batch.num_rows > room:
                rest.append(batch.slice(room))
                batch = batch.slice(0, room)
            room -= batch.num_rows
            if batch.num_rows:
                yield batch

    for _ in range(shards):
        yield piece()


Write = Callable[["pa.RecordBatch"], None]


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, records.schema(), compression="zstd") as writer:
        yield writer.write_batch


@contextmanager
def _jsonl(path: Path) -> Iterator[Write]:
    import zstandard

    encode = msgspec.json.Encoder().encode

    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            stream.write(encode(row) + b"\n")

    # one file's frame holds no time and no name: equal rows, equal bytes
    with path.open("wb") as file, zstandard.ZstdCompressor(level=6).stream_writer(file) as stream:
        yield write


def read_jsonl(file: BinaryIO) -> Iterator[pa.Table]:
    """Rows of a `.jsonl.zst` file as tables of the record's schema, 10,000 at a time."""
    import io
    from itertools import islice

    import pyarrow as pa
    import zstandard

    decode = msgspec.json.Decoder().decode
    with zstandard.ZstdDecompressor().stream_reader(file) as stream:
        lines = io.BufferedReader(stream)
        while rows := [decode(line) for line in islice(lines, 10_000)]:
            for row in rows:
                row["changed_at"] = row["changed_at"] and dt.datetime.fromisoformat(row["changed_at"])
            yield pa.Table.from_pylist(rows, schema=records.schema())


_WRITERS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {PARQUET: _parquet, JSONL: _jsonl}
