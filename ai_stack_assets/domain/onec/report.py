"""What one extraction did. Records only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ai_stack_assets.domain.common.lake import Version


@dataclass(frozen=True)
class TableChange:
    """Rows of one table now, and against the previous version."""

    rows: int
    added: int
    changed: int
    removed: int
    bytes: int


@dataclass
class ExtractionReport:
    version: Version
    previous: Version | None
    tables: dict[str, TableChange]
    files: dict[str, int]
    """`listed`, `parsed` (new bytes), `cached` (bytes known from elsewhere), `unchanged` (bucket not touched)."""
    rejected: dict[str, int]
    """Rows of `rejected` by reason."""
    source: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    """By phase: fetch, list, read, link, publish."""
    pin: str | None = None
    """What the configuration is held at, instead of what its source is now."""

    @property
    def is_unchanged(self) -> bool:
        return self.previous is not None and self.previous.id == self.version.id
