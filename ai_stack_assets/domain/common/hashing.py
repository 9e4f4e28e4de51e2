"""Content hashes: of rows (change detection) and of text. Nothing cryptographic but `sha256_hex`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATOR, _NULL = "\x1f", "\x00"
_ROWS_AT_ONCE = 50_000


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_hash(text: str) -> str:
    """128-bit xxh3, 32 hex digits."""
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


def row_hashes(table: pa.Table) -> pa.Array:
    """64-bit xxh3 of each row, 16 hex digits, over all columns in order, nulls told from empty strings."""
    import pyarrow as pa

    # piece by piece: the joined texts of a million rows would take a gigabyte
    pieces = [
        _row_hashes(table.slice(start, _ROWS_AT_ONCE)) for start in range(0, table.num_rows, _ROWS_AT_ONCE)
    ]
    return pa.concat_arrays(pieces) if pieces else pa.array([], pa.string())


def _row_hashes(table: pa.Table) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pc.fill_null(pc.cast(c, pa.large_string()), _NULL) for c in table.columns]
    joined = pc.binary_join_element_wise(*columns, pa.scalar(_SEPARATOR, pa.large_string()))
    digest = xxhash.xxh3_64_hexdigest
    return pa.array([digest(value) for value in pc.cast(joined, pa.large_binary()).to_pylist()], pa.string())
