"""Lists of words in, one sparse row of weights per list out; the weights are fitted once and kept. No features chosen here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp


@dataclass(frozen=True)
class Terms:
    """A vocabulary with inverse document frequencies: rows are `(1 + log tf) · idf` of length 1 (Salton, Buckley, 1988)."""

    words: Sequence[str]
    """The columns, in order."""
    idf: np.ndarray
    """float32 [columns]."""

    @classmethod
    def fit(cls, lists: Sequence[Sequence[str]], least: int) -> Terms:
        """Words that are in `least` lists or more."""
        import numpy as np

        counts = Counter(word for words in lists for word in set(words))
        kept = sorted(word for word, count in counts.items() if count >= least)
        with_word = np.array([counts[word] for word in kept], np.float32)
        return cls(kept, (np.log((1 + len(lists)) / (1 + with_word)) + 1).astype(np.float32))

    def matrix(self, lists: Sequence[Sequence[str]]) -> sp.csr_matrix:
        """float32 [lists, columns]; unknown words do not count."""
        import numpy as np
        import scipy.sparse as sp

        columns, ends, counts = [], [0], []
        for words in lists:
            found = Counter(column for word in words if (column := self._columns.get(word)) is not None)
            columns += found
            counts += found.values()
            ends.append(len(columns))
        at, tf, ends = np.array(columns, np.int32), np.array(counts, np.float32), np.array(ends)
        weights = (1 + np.log(tf)) * self.idf[at]
        row = np.repeat(np.arange(len(lists)), np.diff(ends))
        lengths = np.sqrt(np.bincount(row, weights=weights**2, minlength=len(lists)))
        weights = (weights / lengths[row]).astype(np.float32)
        return sp.csr_matrix((weights, at, ends), (len(lists), len(self.words)))

    ARRAYS: ClassVar = ("idf", "words")

    def arrays(self) -> dict[str, np.ndarray]:
        """For an archive of NumPy: of `ARRAYS`."""
        import numpy as np

        return {"idf": self.idf, "words": np.frombuffer("\n".join(self.words).encode(), np.uint8)}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Terms:
        """What `arrays` gave. A list of no words is not one of an empty word."""
        words = arrays["words"].tobytes().decode().split("\n") if arrays["idf"].size else []
        return cls(words, arrays["idf"])

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: column for column, word in enumerate(self.words)}
