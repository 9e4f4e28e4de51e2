"""Whether a tantivy index still holds what was written: its files against their checksums, its documents
against their terms. Reads only."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from ai_stack_assets.domain.stores.contract import EDITED

if TYPE_CHECKING:
    import tantivy

_MAGIC = 1337


class _Source(msgspec.Struct):
    collection: str
    id: str
    content_hash: str


def state(source: bytes) -> str:
    """The term by which a document's source is known: 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(source)


def held(index: tantivy.Index) -> dict[str, dict[str, str]]:
    """Collection -> id -> content hash, EDITED where the source is not what the terms say or an id is there
    twice."""
    import tantivy

    searcher = index.searcher()
    everything = tantivy.Query.all_query()
    # without the filter, terms of deleted documents would be there until their segments are merged
    states = {term for term, _ in searcher.terms_with_prefix("state", "", everything)}
    decode = msgspec.json.Decoder(_Source).decode
    found: dict[str, dict[str, str]] = {}
    for _, address in searcher.search(everything, searcher.num_docs + 1, count=False).hits:
        source = bytes(searcher.doc(address)["source"][0])
        try:
            row = decode(source)
        except msgspec.MsgspecError:
            continue  # its row is missing then, and writing that one removes this one
        rows = found.setdefault(row.collection, {})
        is_whole = row.id not in rows and state(source) in states
        rows[row.id] = row.content_hash if is_whole else EDITED
    return found


def check(folder: Path) -> None:
    """Raises ValueError naming the first file that is not as tantivy wrote it: each ends with a footer that
    holds the CRC-32 of what comes before. 41 MB take 0.04 s.

    https://github.com/quickwit-oss/tantivy/blob/main/src/directory/footer.rs
    """
    for file in _living(folder):
        data = file.read_bytes()
        length, magic = struct.unpack("<II", data[-8:]) if len(data) > 8 else (0, 0)
        if magic != _MAGIC or length + 8 > len(data):
            raise ValueError(f"{file.name} has no footer")
        body = memoryview(data)[: -length - 8]
        if zlib.crc32(body) != msgspec.json.decode(data[-length - 8 : -8])["crc"]:
            raise ValueError(f"{file.name} does not match its checksum")


def _living(folder: Path) -> list[Path]:
    """Files of the last commit: an interrupted writer may have left others, half written."""
    meta: dict[str, Any] = msgspec.json.decode((folder / "meta.json").read_bytes())
    files = []
    for segment in meta["segments"]:
        name = segment["segment_id"].replace("-", "")
        files += [path for path in folder.glob(f"{name}.*") if path.suffix != ".del"]
        if segment["deletes"]:
            files.append(folder / f"{name}.{segment['deletes']['opstamp']}.del")
    return files
