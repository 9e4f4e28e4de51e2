"""Names for what a store keeps per configuration: tables, indexes, folders. No engine here."""

from __future__ import annotations

import re

import xxhash


def slug(configuration: str, length: int = 28) -> str:
    """Lower-case ASCII letters, digits and `_`: a readable piece of the name, then a hash that makes it
    unique."""
    readable = re.sub(r"[^a-z0-9]+", "_", configuration.lower())[: length - 9].strip("_")
    digest = xxhash.xxh3_64_hexdigest(configuration.encode())[:8]
    return f"{readable}_{digest}" if readable else digest
