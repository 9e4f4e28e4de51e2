"""Code that models are measured with, which must not be trained on: what it is. `contamination` finds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmarks:
    """Code that others are measured with."""

    texts: tuple[str, ...] = ()
    content_hashes: frozenset[str] = frozenset()
    """As in the column `content_hash`: for code that itself is not at hand."""
    threshold: float = 0.8
    """Jaccard index from which a record is nearly a benchmark text."""
