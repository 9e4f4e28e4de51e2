"""Latent semantic analysis: the default vectoriser. Fitted on the configuration's own texts in seconds,
nothing to download.

Stems of split identifiers, sublinear term frequency, inverse document frequency, truncated SVD (Deerwester et
al., 1990; randomised as in Halko, Martinsson, Tropp, 2011). No lake and no choice of when to fit here: see
`fitting`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.common.identifiers import MAX_WORD, split, stem, words
from ai_stack_assets.domain.vectorisers.contract import VERSION_LENGTH, unit

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

LSA_VERSION = "1"
"""Raise when the algorithm changes: models fitted by the older one are fitted again."""
SIZE = 256
OVERSAMPLING = 32
ITERATIONS = 3
"""Of the power method: energy kept is 0.507, 0.560, 0.570 after 1, 2, 3 on 38,164 methods; 1.0 s in all."""
SEED = 20_110_101
TITLE_WEIGHT = 4
"""Times that the first line, a row's name, counts. 1,500 descriptions looked up among the code of 38,164
methods: MRR@10 is 0.186 at once, 0.210 at four times."""
MAX_FIT_ROWS = 100_000
"""The SVD looks at an even sample of at most so many texts, to bound its memory at about 500 MB."""
LARGE = 1_000
"""From so many texts on, stems in fewer than MIN_TEXTS or in more than half of them are left out."""
MIN_TEXTS = 3
_CACHED_WORDS = 500_000


class Lsa:
    """A fitted model: `stems` [n], `idf` float32 [n], `components` float32 [n, size]."""

    name = "lsa"

    def __init__(
        self, stems: Sequence[str], idf: np.ndarray, components: np.ndarray, seen: np.ndarray
    ) -> None:
        self.stems, self.idf, self.components = list(stems), idf, components
        self.seen = seen
        """Sorted uint64: what it was fitted on, to tell later how far the corpus moved."""
        self._columns = _Columns({s: i for i, s in enumerate(self.stems)}.get)

    @property
    def size(self) -> int:
        return self.components.shape[1]

    @cached_property
    def version(self) -> str:
        return sha256_hex(self.to_bytes())[:VERSION_LENGTH]

    @classmethod
    def fit(
        cls,
        batches: Iterable[Sequence[str]],
        seen: np.ndarray | None = None,
        size: int = SIZE,
        texts: int = 0,
    ) -> Lsa:
        """Equal texts in equal order give an equal model.

        Args:
            texts: how many there will be. Of more than MAX_FIT_ROWS an even sample is kept, whatever their number;
                how many of them have a stem is counted in all.
        """
        import numpy as np
        import scipy.sparse as sp

        stems = _Ids()
        columns = _Columns(stems.__getitem__)
        step = -(-texts // MAX_FIT_ROWS) or 1
        parts, with_stem, rows = [], np.zeros(0, np.int64), 0
        for batch in batches:
            if not len(batch):
                continue
            counts = _term_counts(batch, columns)
            counts.resize(counts.shape[0], len(stems))
            with_stem.resize(len(stems), refcheck=False)
            with_stem += np.bincount(counts.indices, minlength=len(stems))
            parts.append(counts[-rows % step :: step])
            rows += len(batch)
        for part in parts:
            part.resize(part.shape[0], len(stems))
        matrix = sp.vstack(parts, "csr") if parts else sp.csr_matrix((0, 0), dtype=np.float32)
        parts.clear()
        kept = _frequent(with_stem, rows)
        idf = _idf(with_stem[kept], rows)
        components = _components(_weighted(matrix[:, kept], idf), size)
        names = list(stems)
        return cls(
            [names[i] for i in kept], idf, components, np.zeros(0, np.uint64) if seen is None else seen
        )

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        counts = _term_counts(texts, self._columns)
        counts.resize(counts.shape[0], len(self.stems))
        return unit(_weighted(counts, self.idf) @ self.components)

    encode_queries = encode_documents

    def to_bytes(self) -> bytes:
        """Equal models give equal bytes (NumPy writes its archives without the time)."""
        import numpy as np

        buffer = io.BytesIO()
        stems = np.frombuffer("\n".join(self.stems).encode(), np.uint8)
        code = np.frombuffer(LSA_VERSION.encode(), np.uint8)
        np.savez(buffer, code=code, stems=stems, idf=self.idf, components=self.components, seen=self.seen)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> Lsa:
        """Raises PermanentError when the file is damaged or written by another version of the algorithm."""
        import zipfile

        import numpy as np

        try:
            data = path.read_bytes()
            with np.load(io.BytesIO(data), allow_pickle=False) as parts:
                if parts["code"].tobytes().decode() != LSA_VERSION:
                    raise PermanentError(
                        f"{path} was fitted by another version of the algorithm: fit it again"
                    )
                stems = parts["stems"].tobytes().decode()
                model = cls(
                    stems.split("\n") if stems else [], parts["idf"], parts["components"], parts["seen"]
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise PermanentError(
                f"{path} is damaged ({error}): remove it, the next run fits it again"
            ) from error
        model.version = sha256_hex(data)[:VERSION_LENGTH]
        return model


class _Ids(dict[str, int]):
    def __missing__(self, key: str) -> int:
        self[key] = number = len(self)
        return number


class _Parts(dict[str, int | None]):
    """Column of one part of an identifier. Few parts make many identifiers: each is stemmed once."""

    def __init__(self, column_of: Callable[[str], int | None]) -> None:
        self._column_of = column_of

    def __missing__(self, part: str) -> int | None:
        self[part] = column = self._column_of(stem(part))
        return column


class _Columns(dict[str, tuple[int, ...]]):
    """Columns of a word's parts. Whole identifiers make seven times the columns and find no better."""

    def __init__(self, column_of: Callable[[str], int | None]) -> None:
        self._parts = _Parts(column_of)

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        parts = split(word) if len(word) <= MAX_WORD else ()
        columns = tuple(c for part in parts if (c := self._parts[part]) is not None)
        self[word] = columns
        return columns


def _term_counts(texts: Sequence[str], columns: Mapping[str, tuple[int, ...]]) -> sp.csr_matrix:
    """Texts × terms. Words are counted, then spread over their parts: each is split once."""
    import numpy as np
    import scipy.sparse as sp

    distinct = _Ids()
    rows = [np.fromiter(map(distinct.__getitem__, _weighted_words(text)), np.int32) for text in texts]
    parts = [columns[word] for word in distinct]
    terms = np.fromiter((c for found in parts for c in found), np.int32)
    width = int(terms.max()) + 1 if len(terms) else 0
    spread = sp.csr_matrix((np.ones(len(terms), np.float32), terms, _offsets(parts)), (len(parts), width))
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    counts = sp.csr_matrix((np.ones(len(flat), np.float32), flat, _offsets(rows)), (len(rows), len(distinct)))
    return (counts @ spread).tocsr()


def _weighted_words(text: str) -> list[str]:
    return words(text.partition("\n")[0]) * (TITLE_WEIGHT - 1) + words(text)


def _offsets(parts: Sequence) -> np.ndarray:
    import numpy as np

    return np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])


def _frequent(texts: np.ndarray, rows: int) -> np.ndarray:
    """Terms (by the number of texts with each) but those too rare or too common to tell texts apart; of a small
    corpus all."""
    import numpy as np

    if rows < LARGE:
        return np.arange(len(texts))
    return np.flatnonzero((texts >= MIN_TEXTS) & (texts <= rows / 2))


def _idf(texts: np.ndarray, rows: int) -> np.ndarray:
    """Smoothed: `log((1 + texts) / (1 + texts with the term)) + 1`."""
    import numpy as np

    return (np.log((1 + rows) / (1 + texts)) + 1).astype(np.float32)


def _weighted(counts: sp.csr_matrix, idf: np.ndarray) -> sp.csr_matrix:
    """`(1 + log tf) · idf`, rows of length 1."""
    import numpy as np

    counts.sort_indices()
    counts.data = ((1 + np.log(counts.data)) * idf[counts.indices]).astype(np.float32)
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row, weights=counts.data**2, minlength=counts.shape[0]))
    counts.data /= lengths[row].astype(np.float32)
    return counts


def _components(matrix: sp.csr_matrix, size: int) -> np.ndarray:
    """Right singular vectors [columns, size] by subspace iteration; more threads change the last bits."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    size = min(size, *matrix.shape)
    if not size:
        return np.zeros((matrix.shape[1], 1), np.float32)
    transposed = matrix.T.tocsr()
    width = min(size + OVERSAMPLING, *matrix.shape)
    basis = np.random.default_rng(SEED).normal(size=(matrix.shape[1], width)).astype(np.float32)
    with threadpool_limits(1):
        for _ in range(ITERATIONS):
            basis = np.linalg.qr(transposed @ (matrix @ basis))[0]
        image = (matrix @ basis).astype(np.float64)
        _, rotation = np.linalg.eigh(image.T @ image)
        return np.ascontiguousarray(basis @ rotation[:, ::-1][:, :size], np.float32)
