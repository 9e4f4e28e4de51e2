"""What a vectoriser is: text in, unit vectors out, and a version that changes exactly when the vectors would.

No engine and no store here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

VERSION_LENGTH = 12
"""Hex digits of a version: part of folder and collection names, so short."""


class Vectoriser(Protocol):
    """Texts are what `domain.vectorisers.texts` makes of a row, or what a user typed."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Hash of all that decides the vectors: weights, code, settings."""
        ...

    @property
    def size(self) -> int: ...

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 [len(texts), size], rows of length 1; zeros for a text without a known word."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class FitRecord:
    """Which model is in use, and why it was fitted again or was not."""

    name: str
    version: str
    size: int
    is_refitted: bool
    reason: str
    drift: float
    """Share of the configuration's methods whose body the model has not seen when it was fitted."""
    seconds: float


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1, as float32; rows of zeros stay."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
