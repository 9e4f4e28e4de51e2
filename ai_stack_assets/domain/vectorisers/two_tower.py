"""The champion of the training stage as a vectoriser: a model that learned which code answers which description.

It knows fields where others know one text: the first line is the name, what follows is doc comment and code. No training here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.common.identifiers import tokens
from ai_stack_assets.domain.vectorisers.contract import VERSION_LENGTH

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower

NAME = "two-tower"
CODE_VERSION = "1"
"""Raise when fields are read off the texts in another way: all vectors are then computed again."""


class TwoTowerVectoriser:
    """`Vectoriser` over a model that the registry holds."""

    name = NAME

    def __init__(self, model: TwoTower) -> None:
        self.model = model

    @cached_property
    def version(self) -> str:
        return sha256_hex(f"{CODE_VERSION} {self.model.version}".encode())[:VERSION_LENGTH]

    @property
    def size(self) -> int:
        return self.model.size

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        """Parameters stand in the code's first line, too: their own field stays empty."""
        parted = [text.partition("\n") for text in texts]
        # the name comes in parts; put together, it is the term that code knows it by
        names = _terms(["".join(name.split()) for name, _, _ in parted])
        rest = _terms([text for _, _, text in parted])
        return self.model.encode(self.model.bags([names, _terms([""] * len(parted)), rest]))

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.questions(_terms(texts))


def _terms(texts: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array([tokens(text) for text in texts], pa.list_(pa.string()))
