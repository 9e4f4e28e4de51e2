"""What the classifier reads of a method: columns of terms in, one sparse row per method out. No classes and no labels here.

A method's own text is its code, comment, name and parameters. A place is the name of its top-level object, by words and by
letters: `ШаблоныСообщенийСлужебный` and `ШаблонСообщения` are near. The content of subsystems and the directive are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.identifiers import split, stem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import scipy.sparse as sp

TEXT, PLACE = "text", "place"
"""What can be read of a row."""
_NAME, _LETTERS = "name ", "… "
"""What a term is prefixed with: the blank keeps it apart from all terms of code."""
_OF_TEXT = {"code_terms": "", "doc_terms": "", "name_terms": _NAME, "parameter_terms": _NAME}
TEXT_COLUMNS = tuple(_OF_TEXT)
_LENGTHS = (3, 4, 5)
"""Of pieces of a name."""
MAX_SHARE = 0.5
"""A term in more than half of the methods tells none from another."""


@dataclass(frozen=True)
class Terms:
    """A vocabulary with weights: `(1 + log tf) · idf`, rows of length 1 (Salton, Buckley, 1988)."""

    view: str
    """`text` or `place`."""
    known: pa.StringArray
    """Terms with their prefix: the columns, in order."""
    idf: np.ndarray
    """float32 [columns]."""

    @classmethod
    def fitted(
        cls, rows: pa.Table, view: str, least: int, introduced: int = 0
    ) -> tuple[Terms, sp.csr_matrix]:
        """The vocabulary of some rows, and their matrix.

        Args:
            least: rows that a term has to be in.
            introduced: so many last rows of which every term counts, however rare.

        Raises:
            PermanentError: no term is in so many.
        """
        import numpy as np
        import pyarrow as pa

        names, counts = _counted(rows, view)
        methods = np.bincount(counts.indices, minlength=len(names))
        is_kept = methods >= min(least, rows.num_rows)
        is_kept[counts[rows.num_rows - introduced :].indices] = True
        kept = np.flatnonzero(is_kept & (methods <= MAX_SHARE * rows.num_rows))
        if not len(kept):
            raise PermanentError(
                f"no term of the {view} is in {least} of {rows.num_rows} rows and in at most half of them: add configurations"
            )
        idf = (np.log((1 + rows.num_rows) / (1 + methods[kept])) + 1).astype(np.float32)
        terms = cls(view, pa.array(np.asarray(names, object)[kept], pa.string()), idf)
        return terms, terms._weighted(counts[:, kept])

    def matrix(self, rows: pa.Table) -> sp.csr_matrix:
        """float32 [rows, columns]."""
        return self._weighted(_counted(rows, self.view, self._columns)[1])

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {term: column for column, term in enumerate(self.known.to_pylist())}

    def _weighted(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        import numpy as np

        counts.data = ((1 + np.log(counts.data)) * self.idf[counts.indices]).astype(np.float32)
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(row, weights=counts.data**2, minlength=counts.shape[0]))
        counts.data /= lengths[row].astype(np.float32)
        return counts


def name_of(owner: str | None) -> str:
    """`Catalog.Валюты.Form.ФормаСписка` is a part of `Валюты`; empty when no object is known."""
    parts = (owner or "").split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _counted(
    rows: pa.Table, view: str, known: Mapping[str, int] | None = None
) -> tuple[list[str], sp.csr_matrix]:
    """Terms, and how often each is in each row: all that occur, or the known ones alone."""
    import numpy as np
    import scipy.sparse as sp

    numbers: dict[str, int] = {}
    at_row, at_column = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for prefix, row, found in _occurrences(rows, view):
        words = [prefix + word for word in found.dictionary.to_pylist()]
        if known is None:
            columns = [numbers.setdefault(word, len(numbers)) for word in words]
        else:
            columns = [known.get(word, -1) for word in words]
        column = np.asarray(columns, np.int32)[found.indices.to_numpy()]
        at_row.append(row[column >= 0])
        at_column.append(column[column >= 0])
    row, column = np.concatenate(at_row), np.concatenate(at_column)
    shape = rows.num_rows, len(numbers if known is None else known)
    # entries of one place are added up
    return list(numbers), sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape)


def _occurrences(rows: pa.Table, view: str) -> Iterator[tuple[str, np.ndarray, pa.DictionaryArray]]:
    """Prefix, row numbers and terms, one of each per occurrence."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if view == TEXT:
        columns = [(prefix, rows[name]) for name, prefix in _OF_TEXT.items()]
    else:
        names = [_pieces(name_of(owner)) for owner in rows["object"].to_pylist()]
        columns = [("", pa.chunked_array([pa.array(names, pa.list_(pa.string()))]))]
    for prefix, column in columns:
        lists = column.combine_chunks()
        row = np.repeat(
            np.arange(len(lists), dtype=np.int32), pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        )
        yield prefix, row, pc.list_flatten(lists).cast(pa.string()).dictionary_encode()


def _pieces(name: str) -> list[str]:
    """Stems of a name's parts, and all runs of 3 to 5 letters, ends marked."""
    whole = f"^{name.lower()}$"
    runs = [_LETTERS + whole[i : i + n] for n in _LENGTHS for i in range(len(whole) - n + 1)]
    return [*(stem(part) for part in split(name)), *runs] if name else []
