"""What of a method is asked and what is found: its description as the question, its name, parameters and code as the document.

Terms in, sparse matrices out. No weights that are learned and no ranking here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.identifiers import tokens, words

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import scipy.sparse as sp

FIELDS = ("name_terms", "parameter_terms", "code_terms")
"""Columns of the features table that make a document."""
QUERY = "query_terms"
"""Column that `prepare` adds: stems of the description, no stems when the method has none that could be a question."""
MIN_WORDS = 5
_NO_DESCRIPTION = re.compile(r"\s*(см\.|see\b|для (процедур|функци)|описание.{0,40}см\.)", re.I)
"""`См. Модуль.Метод`, `Для процедур А, Б`: what refers to other methods says nothing of this one."""


def description(doc_comment: str) -> str:
    """The comment's part that says what a method does; empty when it has fewer than MIN_WORDS words or only refers to others."""
    import msgspec

    from ai_stack_assets.domain.bsl.doc_comment import parse_doc_comment

    text = msgspec.json.decode(parse_doc_comment(doc_comment))["description"]
    return "" if len(words(text)) < MIN_WORDS or _NO_DESCRIPTION.match(text) else text


def prepare(rows: pa.Table) -> pa.Table:
    """All rows, which are what is searched, with QUERY. Raises PermanentError when none has a description."""
    import pyarrow as pa

    asked = [tokens(description(comment)) for comment in rows["doc_comment"].to_pylist()]
    if not any(asked):
        raise PermanentError(
            f"none of {rows.num_rows} methods has a comment of {MIN_WORDS} words or more that describes it: "
            "add configurations or repositories whose methods are documented"
        )
    return rows.append_column(QUERY, pa.array(asked, pa.list_(pa.string())))


def vocabulary(columns: Sequence[pa.ChunkedArray], least: int) -> pa.Array:
    """Terms that occur in `least` rows or more of any of the columns (a row of two columns counts twice), in order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [_distinct(_flat(column)) for column in columns]
    counted = pc.value_counts(pa.concat_arrays(texts))
    return counted.field("values").filter(pc.greater_equal(counted.field("counts"), least)).sort()


def counts(lists: pa.ChunkedArray, known: pa.Array) -> sp.csr_matrix:
    """How often each row has each known term: float32 [rows, len(known)]."""
    import numpy as np
    import pyarrow.compute as pc
    import scipy.sparse as sp

    array = _flat(lists)
    columns = pc.index_in(array.flatten(), known)
    row = np.repeat(np.arange(len(array)), pc.list_value_length(array).to_numpy(zero_copy_only=False))
    is_known = columns.is_valid().to_numpy(zero_copy_only=False)
    column = columns.fill_null(0).to_numpy()[is_known]
    data = np.ones(len(column), np.float32)
    return sp.csr_matrix((data, (row[is_known], column)), (len(array), len(known)))


def labels(lists: pa.ChunkedArray) -> np.ndarray:
    """Int64 [rows]: equal for equal lists, different for all that are empty. Who asks the same may get any of the answers."""
    import numpy as np

    found: dict[tuple[str, ...], int] = {}
    terms = (tuple(each) for each in lists.to_pylist())
    return np.array([found.setdefault(t, row) if t else row for row, t in enumerate(terms)], np.int64)


def asked(rows: pa.Table) -> np.ndarray:
    """Rows that have a question."""
    import numpy as np
    import pyarrow.compute as pc

    return np.flatnonzero(pc.list_value_length(rows[QUERY]).to_numpy())


def _flat(lists: pa.ChunkedArray) -> pa.ListArray:
    import pyarrow as pa

    return lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists


def _distinct(lists: pa.ListArray) -> pa.Array:
    """Terms of all rows, each once per row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = pa.table({"row": pc.list_parent_indices(lists), "term": lists.flatten()})
    return pairs.group_by(["row", "term"]).aggregate([])["term"].combine_chunks()
