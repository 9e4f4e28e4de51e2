"""The fitted change risk: two sets of boosted trees, one for methods whose past is known and one for code alone.

A review queue asks about methods with their past (`examples.queue`); inference over the features table knows the code only. Trees
that had learned to lean on the past would say anything of what has none, so the second set has never seen it.

Which modules change differs from year to year, and that large methods change more does not: with few years to learn from, trees
may order the next one worse than size alone. So what trees say and size count the same (`Blend`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.training.change_risk.columns import PAST
from ai_stack_assets.domain.training.regressor.terms import Terms
from ai_stack_assets.domain.training.saved import read_arrays, read_facts, write_arrays
from ai_stack_assets.domain.training.trees import read_trees

if TYPE_CHECKING:
    import lightgbm as lgb
    import numpy as np
    import pyarrow as pa

FORMAT = "2"
FACTS, WORDS = "model.json", "words.npz"
WITH_PAST, CODE_ALONE = "with_past", "code_alone"
CATEGORIES = ("module_type", "object_kind", "directive")
NUMBERS = (
    "tokens", "lines", "statements", "cyclomatic", "cognitive", "nesting", "calls", "receivers", "queries",
    "comment_share", "doc_words", "parameter_count", "optional_parameter_count", "is_function", "is_export",
)  # fmt: skip
NAMES = "names"
"""What the words of the method's name and the object's full name say: a linear regression on what changed in other years."""
COLUMNS: Mapping[str, Sequence[str]] = {
    WITH_PAST: (*CATEGORIES, *NUMBERS, *PAST, NAMES),
    CODE_ALONE: (*CATEGORIES, *NUMBERS, NAMES),
}
"""What each set of trees looks at, in order."""
SIZE = "lines"
RISING = (
    "tokens", SIZE, "statements", "cyclomatic", "cognitive", "nesting", "calls", "receivers", "queries", "changes_12m",
    "changes_36m", "module_changes_12m", "module_changes_36m", "family_changes_12m",
)  # fmt: skip
FALLING = ("days_since_change",)
"""Columns that trees may let raise, or lower, the risk alone: what they find else is of the year."""
HUNDREDTHS = 101
OTHER = -1


@dataclass(frozen=True)
class Blend:
    """Log odds from what trees say and from the logarithm of the size, each weighted by its spread: they count the same."""

    trees: float
    size: float
    offset: float
    usual: float
    """Logarithm of the usual size: what a method's own is compared to when reasons are told."""

    def risk(self, said: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Probabilities. Args: sizes: as `sizes_of` gives them."""
        import numpy as np

        return 1 / (1 + np.exp(-(self.trees * said + self.size * sizes + self.offset)))


@dataclass(frozen=True)
class ChangeRisk:
    """A fitted model."""

    categories: Mapping[str, Sequence[str]]
    terms: Terms
    weights: np.ndarray
    """float32 [terms]: of the words of names."""
    trees: Mapping[str, lgb.Booster]
    blends: Mapping[str, Blend]
    scale: Mapping[str, Sequence[float]]
    """Risks at each hundredth of the methods that it was fitted on."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """`risk`: probability of being changed or removed within 12 months, for ordering (years differ in how much changes);
        `risk_percentile`: share of the methods known at training that are at less risk; `knows_past`."""
        import numpy as np
        import pyarrow as pa

        name = self.which(rows)
        risk = self.risk(rows, name)
        percentile = np.searchsorted(self.scale[name], risk, "right") * 100 / HUNDREDTHS
        return pa.table(
            {
                "risk": pa.array(risk, pa.float32()),
                "risk_percentile": pa.array(np.minimum(percentile, 100), pa.float32()),
                "knows_past": pa.array([name == WITH_PAST] * rows.num_rows),
            }
        )

    def which(self, rows: pa.Table) -> str:
        return WITH_PAST if set(PAST) <= set(rows.schema.names) else CODE_ALONE

    def risk(self, rows: pa.Table, name: str) -> np.ndarray:
        """float64 [rows]."""
        import numpy as np

        if not rows.num_rows:
            return np.zeros(0)
        said = np.asarray(self.trees[name].predict(self.matrix(rows, name), raw_score=True))
        return self.blends[name].risk(said, sizes_of(rows))

    def matrix(self, rows: pa.Table, name: str) -> np.ndarray:
        """float64 [rows, columns of that set of trees]."""
        return matrix(rows, name, self.categories, self.terms.matrix(words(rows)) @ self.weights)

    def reasons(self, rows: pa.Table, most: int = 3) -> list[str]:
        """Per row what raises its risk most, strongest first: `module_changes_12m 0.8, lines 214`. For the head of a queue: it
        costs much more than the risk itself (exact Shapley values of trees: Lundberg et al., 2020)."""
        import numpy as np

        if not rows.num_rows:
            return []
        name = self.which(rows)
        raised = np.asarray(self.trees[name].predict(self.matrix(rows, name), pred_contrib=True))
        blend, sizes = self.blends[name], sizes_of(rows)
        raised = blend.trees * raised[:, :-1]
        raised[:, COLUMNS[name].index(SIZE)] += blend.size * (sizes - blend.usual)
        shown = {column: values(rows, column) for column in CATEGORIES} | {NAMES: rows["method_name"]}
        said = []
        for i, order in enumerate(np.argsort(-raised, axis=1, kind="stable")[:, :most]):
            found = [COLUMNS[name][column] for column in order if raised[i, column] > 0]
            said.append(", ".join(f"{c} {_shown(shown[c] if c in shown else rows[c], i)}" for c in found))
        return said

    def save(self, folder: Path) -> None:
        write_arrays(folder / WORDS, {"weights": self.weights, **self.terms.arrays()})
        for name, trees in self.trees.items():
            (folder / f"{name}.txt").write_text(trees.model_to_string(), "utf-8")
        blends = {name: asdict(blend) for name, blend in self.blends.items()}
        facts = {"format": FORMAT, "categories": self.categories, "scale": self.scale, "blends": blends}
        (folder / FACTS).write_bytes(msgspec.json.encode(facts))


def load(folder: Path) -> ChangeRisk:
    """What `ChangeRisk.save` wrote. Raises PermanentError naming the file that is damaged."""
    facts = read_facts(folder / FACTS, FORMAT)
    arrays = read_arrays(folder / WORDS, "weights", *Terms.ARRAYS)
    trees = {name: read_trees(folder / f"{name}.txt") for name in COLUMNS}
    blends = {name: Blend(**numbers) for name, numbers in facts["blends"].items()}
    return ChangeRisk(facts["categories"], Terms.of(arrays), arrays["weights"], trees, blends, facts["scale"])


def matrix(
    rows: pa.Table, name: str, categories: Mapping[str, Sequence[str]], names: np.ndarray
) -> np.ndarray:
    """float64 [rows, columns of that set of trees]; a null of the past is not a number, which the trees have a branch for.

    Args:
        names: what the words of names say.
    """
    import numpy as np

    columns = []
    for column in COLUMNS[name]:
        if column in CATEGORIES:
            codes = {value: code for code, value in enumerate(categories[column])}
            columns.append(np.array([codes.get(value, OTHER) for value in values(rows, column)], float))
        elif column == NAMES:
            columns.append(names)
        else:
            columns.append(rows[column].to_numpy(zero_copy_only=False).astype(float))
    return np.column_stack(columns)


def sizes_of(rows: pa.Table) -> np.ndarray:
    """float64 [rows]: logarithms of lines."""
    import numpy as np

    return np.log(np.maximum(rows[SIZE].to_numpy().astype(float), 1))


def _shown(column: Any, i: int) -> str:
    value = column[i].as_py() if hasattr(column[i], "as_py") else column[i]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def words(rows: pa.Table) -> list[list[str]]:
    """Per row the stems of its name, and the full name of its object as one word."""
    return [
        [*stems, f"of {owner}"]
        for stems, owner in zip(rows["name_terms"].to_pylist(), rows["object"].to_pylist(), strict=True)
    ]


def values(rows: pa.Table, category: str) -> list[str]:
    """Of one of `CATEGORIES`."""
    if category == "object_kind":
        return [name.partition(".")[0] for name in rows["object"].to_pylist()]
    return rows[category].to_pylist()
