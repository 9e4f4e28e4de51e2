"""The fitted regressor: ridge regressions over the words of a header, boosted trees over what they say and over its numbers.

There are two sets of trees: one for methods whose module is known, which also looks at the headers of its other methods
(`siblings`), one for a method that is alone among the rows. Ask about whole modules.

Stacking (Wolpert, 1992): each ridge reads other words (of the name, the parameters, the comment, the place), and the trees learn
how far each can be trusted. `fitting` makes one; here it is used, saved and loaded. Only NumPy, SciPy and LightGBM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.regressor import neighbours, siblings
from ai_stack_assets.domain.training.regressor.header import BLOCKS, CATEGORIES, Header, headers, modules
from ai_stack_assets.domain.training.regressor.terms import Terms
from ai_stack_assets.domain.training.saved import read_arrays, read_facts, write_arrays
from ai_stack_assets.domain.training.trees import read_trees

if TYPE_CHECKING:
    import lightgbm as lgb
    import numpy as np
    import pyarrow as pa
    import scipy.sparse as sp

FORMAT = "2"
WORDS, FACTS = "words.npz", "model.json"
IN_MODULE, ALONE = "in_module", "alone"
ANSWERS = ("expected", "expected_cyclomatic", "residual", "residual_in_module")
OTHER = -1
"""A category that training has not seen."""


@dataclass(frozen=True)
class Ridge:
    """One linear regression over some blocks of words."""

    blocks: Sequence[str]
    weights: np.ndarray
    """float32 [columns of the blocks, in order]."""
    intercept: float

    def predict(self, words: Mapping[str, sp.csr_matrix]) -> np.ndarray:
        import scipy.sparse as sp

        return sp.hstack([words[block] for block in self.blocks]).tocsr() @ self.weights + self.intercept


@dataclass(frozen=True)
class Inputs:
    """Headers as numbers. `words`: a sparse matrix per block; `numbers`: float64 [headers, categories and numbers]; `context`: of
    `siblings`, not a number for a method that is alone among them."""

    words: Mapping[str, sp.csr_matrix]
    numbers: np.ndarray
    context: np.ndarray

    def known(self, trees: str) -> np.ndarray:
        """bool [headers]: whether these trees may be asked."""
        import numpy as np

        if trees == ALONE:
            return np.ones(len(self.context), bool)
        return np.invert(np.isnan(self.context[:, 0]))


@dataclass(frozen=True)
class Reader:
    """How headers become numbers: vocabularies and known categories. No categories: the place is not looked at."""

    terms: Mapping[str, Terms]
    categories: Mapping[str, Sequence[str]]

    @classmethod
    def fit(cls, found: Sequence[Header], least: int, *, with_place: bool) -> Reader:
        """Args: least: headers that a word has to be in."""
        blocks = BLOCKS if with_place else BLOCKS[:-1]
        terms = {block: Terms.fit([header.words(block) for header in found], least) for block in blocks}
        seen = list(zip(*(header.categories() for header in found), strict=True)) if with_place else ()
        return cls(terms, {name: sorted(set(v)) for name, v in zip(CATEGORIES, seen, strict=False)})

    def read(self, rows: pa.Table) -> Inputs:
        import numpy as np

        found = headers(rows)

        words = {b: terms.matrix([header.words(b) for header in found]) for b, terms in self.terms.items()}
        codes = [{value: code for code, value in enumerate(values)} for values in self.categories.values()]
        numbers = [
            (
                *(code.get(value, OTHER) for code, value in zip(codes, header.categories(), strict=False)),
                *header.numbers(),
            )
            for header in found
        ]
        return Inputs(words, np.array(numbers, float), siblings.context(found, modules(rows)))


@dataclass(frozen=True)
class Regressor:
    """A fitted model."""

    reader: Reader
    ridges: Sequence[Ridge]
    trees: Mapping[str, lgb.Booster]
    """By name, the best first."""
    shrinkage: float
    """See `neighbours.around`."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """`expected` (of log(1 + cyclomatic)) by the header, `expected_cyclomatic`, and `residual`: how much more complex it
        is, on the scale of the logarithm. `residual_in_module`: the same beside the other methods of its module among the rows,
        so ask about whole modules. Both are null where real complexities are not known (no column `cyclomatic`)."""
        import numpy as np
        import pyarrow as pa

        expected = self.expected(rows)
        columns = {"expected": expected, "expected_cyclomatic": np.expm1(expected)}
        if set(neighbours.COLUMNS) <= set(rows.schema.names):
            columns["residual"] = residual = _real(rows) - expected
            columns["residual_in_module"] = residual - neighbours.around(rows, residual, self.shrinkage)
        found = [columns.get(name, [None] * len(expected)) for name in ANSWERS]
        return pa.table([pa.array(values, pa.float32()) for values in found], names=list(ANSWERS))

    def in_module(self, rows: pa.Table, expected: np.ndarray) -> np.ndarray:
        """Expectations moved by how complex the other methods of the module are. float64 [rows]."""
        return expected + neighbours.around(rows, _real(rows) - expected, self.shrinkage)

    def expected(self, rows: pa.Table, *trees: str) -> np.ndarray:
        """float64 [rows]. `trees`: to ask these alone."""
        import numpy as np

        expected = np.zeros(rows.num_rows)
        if not rows.num_rows:
            return expected
        inputs = self.reader.read(rows)
        said = [ridge.predict(inputs.words) for ridge in self.ridges]
        left = np.ones(rows.num_rows, bool)
        for name in trees or self.trees:
            asked = left & inputs.known(name)
            left &= ~asked
            if asked.any():
                expected[asked] = self.trees[name].predict(stacked(inputs, said, name)[asked])
        return expected

    def save(self, folder: Path) -> None:
        arrays: dict[str, Any] = {f"ridge_{i}": ridge.weights for i, ridge in enumerate(self.ridges)}
        for block, terms in self.reader.terms.items():
            arrays |= {f"{name}_{block}": array for name, array in terms.arrays().items()}
        write_arrays(folder / WORDS, arrays)
        for name, trees in self.trees.items():
            trees_file(folder, name).write_text(trees.model_to_string(), "utf-8")
        facts = {
            "format": FORMAT,
            "categories": self.reader.categories,
            "blocks": list(self.reader.terms),
            "shrinkage": self.shrinkage,
            "trees": list(self.trees),
            "ridges": [{"blocks": ridge.blocks, "intercept": ridge.intercept} for ridge in self.ridges],
        }
        (folder / FACTS).write_bytes(msgspec.json.encode(facts))


def _real(rows: pa.Table) -> np.ndarray:
    import numpy as np

    return np.log1p(rows["cyclomatic"].to_numpy().astype(float))


def stacked(inputs: Inputs, said: Sequence[np.ndarray], trees: str) -> np.ndarray:
    """What the trees look at: categories, numbers, then what each ridge says, then the module."""
    import numpy as np

    return np.column_stack([inputs.numbers, *said, *([inputs.context] if trees == IN_MODULE else [])])


def trees_file(folder: Path, name: str) -> Path:
    return folder / f"trees_{name}.txt"


def load(folder: Path) -> Regressor:
    """What `Regressor.save` wrote.

    Raises:
        PermanentError: a file is missing or damaged; it says which.
    """
    facts = read_facts(folder / FACTS, FORMAT)
    arrays = read_arrays(folder / WORDS)
    try:
        terms = {
            block: Terms.of({name: arrays[f"{name}_{block}"] for name in Terms.ARRAYS})
            for block in facts["blocks"]
        }
        ridges = [
            Ridge(ridge["blocks"], arrays[f"ridge_{i}"], ridge["intercept"])
            for i, ridge in enumerate(facts["ridges"])
        ]
        reader, shrinkage = Reader(terms, facts["categories"]), facts["shrinkage"]
        names = facts["trees"]
    except (KeyError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"{folder / WORDS} does not belong to {FACTS} ({error}): fit the model again"
        ) from error
    trees = {name: read_trees(trees_file(folder, name)) for name in names}
    return Regressor(reader, ridges, trees, shrinkage)
