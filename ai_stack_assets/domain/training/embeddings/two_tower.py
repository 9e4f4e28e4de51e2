"""The two-tower model: terms of a question and of a method's fields to vectors that are near when one answers the other.

A field is a bag of terms, `log(1 + count) · idf`, of length 1; each term's weight in each field is learned, the vectors of the
terms are shared by all. No training here: see `fit`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.training.embeddings import examples

if TYPE_CHECKING:
    import pyarrow as pa
    import scipy.sparse as sp

FORMAT = "1"
"""Of the file. Raise when a model of an older one can no longer be read."""
FILE = "two_tower.npz"
VERSION_LENGTH = 12


@dataclass(frozen=True)
class Weights:
    """What is learned: `terms` float32 [n, size], `fields` float32 [1 + len(FIELDS), n], the question's first."""

    terms: np.ndarray
    fields: np.ndarray

    def copy(self) -> Weights:
        return Weights(self.terms.copy(), self.fields.copy())


@dataclass(frozen=True)
class TwoTower:
    """A fitted model. `share`: of BM25 in the hybrid score, see `hybrid`. `facts`: of its fit; not in the file."""

    vocabulary: pa.Array
    idf: np.ndarray
    weights: Weights
    share: float = 0.0
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.weights.terms.shape[1]

    @cached_property
    def version(self) -> str:
        """Changes exactly when the vectors may."""
        return sha256_hex(self.to_bytes())[:VERSION_LENGTH]

    def documents(self, rows: pa.Table) -> np.ndarray:
        """Float32 [rows, size], of length 1 each: of rows of the features table."""
        return self.encode(self.bags([rows[name] for name in examples.FIELDS]))

    def questions(self, lists: pa.ChunkedArray | pa.Array) -> np.ndarray:
        """Float32 [rows, size], of length 1 each: of lists of terms; zeros for one without a known term."""
        return self.encode(self.bags([lists]), question=True)

    def bags(self, columns: Sequence[pa.ChunkedArray | pa.Array]) -> list[sp.csr_matrix]:
        """Weighted terms of each column, [rows, terms]."""
        return [weighted(examples.counts(column, self.vocabulary), self.idf) for column in columns]

    def encode(self, bags: Sequence[sp.csr_matrix], *, question: bool = False) -> np.ndarray:
        fields = self.weights.fields[:1] if question else self.weights.fields[1:]
        return unit(mixed(bags, fields) @ self.weights.terms)[0]

    def predict(self, rows: pa.Table) -> pa.Table:
        """`vector`: fixed-size list of float32 of length 1 (zeros when not a term is known)."""
        import pyarrow as pa

        vectors = self.documents(rows)
        return pa.table({"vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), self.size)})

    def save(self, folder: Path) -> None:
        (folder / FILE).write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Equal models give equal bytes (NumPy writes its archives without the time)."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            format=np.frombuffer(FORMAT.encode(), np.uint8),
            vocabulary=np.frombuffer("\n".join(self.vocabulary.to_pylist()).encode(), np.uint8),
            idf=self.idf,
            terms=self.weights.terms,
            fields=self.weights.fields,
            share=np.float32(self.share),
        )
        return buffer.getvalue()

    def with_share(self, share: float) -> TwoTower:
        return replace(self, share=share)

    @classmethod
    def load(cls, folder: Path) -> TwoTower:
        """Raises PermanentError that names the file when it is missing, damaged or of another format."""
        import zipfile

        import pyarrow as pa

        path = folder / FILE
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as parts:
                found = parts["format"].tobytes().decode()
                names = parts["vocabulary"].tobytes().decode().split("\n")
                weights = Weights(parts["terms"], parts["fields"])
                model = cls(pa.array(names, pa.string()), parts["idf"], weights, float(parts["share"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise PermanentError(f"{path} is damaged or missing ({error}): fit the model again") from error
        if found != FORMAT:
            raise PermanentError(
                f"{path} is of format {found}, this code reads {FORMAT}: fit the model again"
            )
        n = len(names)
        if (
            model.idf.shape != (n,)
            or len(weights.terms) != n
            or weights.fields.shape != (1 + len(examples.FIELDS), n)
        ):
            raise PermanentError(f"{path} is damaged (its parts do not fit together): fit the model again")
        return model


def weighted(counts: sp.csr_matrix, idf: np.ndarray) -> sp.csr_matrix:
    """`log(1 + count) · idf`, rows of length 1."""
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    data = np.log1p(counts.data) * idf[counts.indices]
    lengths = np.sqrt(np.bincount(row, weights=data**2, minlength=counts.shape[0]))
    counts.data = (data / lengths[row]).astype(np.float32)
    return counts


def mixed(bags: Sequence[sp.csr_matrix], fields: np.ndarray) -> sp.csr_matrix:
    """One bag of all fields, each term times its weight in its field."""
    parts = []
    for bag, weight in zip(bags, fields, strict=True):
        part = bag.copy()
        part.data = bag.data * weight[bag.indices]
        parts.append(part)
    return sum(parts[1:], start=parts[0])


def unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows scaled to length 1, and their lengths [rows, 1]; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return (vectors / lengths).astype(np.float32), lengths
