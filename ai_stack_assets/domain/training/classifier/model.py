"""The fitted classifier: what it says of methods, with the vote of those that belong together, and the files it is kept in.

Nothing is fitted here: see `task`. A subsystem's content is objects, so all methods of one object have one answer: the mean of
what their texts look like, and what the object is called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.classifier import head as heads
from ai_stack_assets.domain.training.classifier.terms import name_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.training.classifier.head import Head

CODE, PLACE, CONTEXT = "code", "place", "context"
"""Heads: subsystem by a method's text, subsystem by its object's name, context of a form's method by its text."""
SUBSYSTEM = "subsystem"
"""The answer of the first two together."""
VOTES = {
    "method": (),
    "module": ("repository", "configuration", "module"),
    "object": ("repository", "configuration", "object"),
}
"""Who votes together, by name: rows that are equal in these columns."""
_OF_FORM = "FormModule"
_MANIFEST = "classifier.json"


@dataclass(frozen=True)
class Classifier:
    """`heads` by name, the context's only if there is one. `place_weight`: of the object's name beside the texts."""

    heads: Mapping[str, Head]
    vote: str = "object"
    place_weight: float = 0.0
    temperatures: Mapping[str, float] = field(default_factory=dict)
    """Of `subsystem`, `code` and `context`: what makes probabilities of their scores."""
    by_name: Sequence[str] = ()
    """Subsystems that had no method to learn from."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """What the methods are.

        `subsystem`, `subsystem_score`: where the method's object belongs, by the vote of its methods among the rows.
        `code_subsystem`, `code_score`: what the method's text alone looks like; another subsystem than the object's
        with a high score is code that may be misplaced.
        `context`, `context_score`: where a form's method should run; empty and 0 for other methods.

        Args:
            rows: of the features table. All methods of an object at once: one asked alone votes alone.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        of_form = pc.equal(rows["module_type"], _OF_FORM).to_numpy() if CONTEXT in self.heads else False
        everywhere = np.ones(rows.num_rows, bool)
        text = self.heads[CODE].scores(rows)
        columns = {}
        for name, scores, asked in (
            (SUBSYSTEM, self.scores(rows, text), everywhere),
            (CODE, text, everywhere),
            (CONTEXT, self.context(rows), everywhere & of_form),
        ):
            found = heads.probabilities(scores, self.temperatures.get(name, 1.0))
            best = found.argmax(axis=1)
            sure = np.where(asked, found[np.arange(rows.num_rows), best], 0)
            says = np.where(asked, np.array(self.classes(name), object)[best], "")
            columns["code_subsystem" if name == CODE else name] = pa.array(says, pa.string())
            columns[f"{name}_score"] = pa.array(sure.astype(np.float32))
        return pa.table(columns)

    def classes(self, name: str) -> tuple[str, ...]:
        """That `subsystem`, `code` or `context` tell apart."""
        head = self.heads.get(CODE if name == SUBSYSTEM else name)
        return head.classes if head else ("",)

    def scores(self, rows: pa.Table, text: np.ndarray | None = None, vote: str | None = None) -> np.ndarray:
        """float32 [rows, classes] of `subsystem`.

        Args:
            text: scores of the head `code`, when they are at hand. vote: another one than the model's own.
        """
        text = self.heads[CODE].scores(rows) if text is None else text
        return voted(text, rows, vote or self.vote) + self.place_weight * self._of_places(rows)

    def context(self, rows: pa.Table) -> np.ndarray:
        """float32 [rows, classes]: of all rows, forms or not."""
        import numpy as np

        head = self.heads.get(CONTEXT)
        return head.scores(rows) if head else np.zeros((rows.num_rows, 1), np.float32)

    def _of_places(self, rows: pa.Table) -> np.ndarray:
        """Scores of the objects' names, each object asked once; 0 where none is known."""
        import numpy as np

        names = np.array([name_of(owner) for owner in rows["object"].to_pylist()], str)
        _, first, place = np.unique(names, return_index=True, return_inverse=True)
        return (self.heads[PLACE].scores(rows.take(first)) * (names[first] != "")[:, None])[place]

    def save(self, folder: Path) -> None:
        """A `.npz` per head, and the rest as JSON."""
        for name, head in self.heads.items():
            head.save(folder / f"{name}.npz")
        manifest = {
            "heads": list(self.heads),
            "vote": self.vote,
            "place_weight": self.place_weight,
            "temperatures": dict(self.temperatures),
            "by_name": list(self.by_name),
        }
        (folder / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def load(folder: Path) -> Classifier:
    """What `Classifier.save` wrote. Raises PermanentError that names the file which is damaged."""
    file = folder / _MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        names, vote = list(manifest["heads"]), manifest["vote"]
        if vote not in VOTES or not {CODE, PLACE} <= set(names):
            raise ValueError("not what a classifier consists of")
        temperatures = {name: float(value) for name, value in manifest["temperatures"].items()}
        rest = float(manifest["place_weight"]), temperatures, list(manifest["by_name"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PermanentError(f"the classifier's file {file} is missing or damaged: {error}") from error
    return Classifier({name: heads.load(folder / f"{name}.npz") for name in names}, vote, *rest)


def voted(scores: np.ndarray, rows: pa.Table, vote: str) -> np.ndarray:
    """float32 [rows, classes]: the mean of those that belong together; forms vote with the object that owns them."""
    import numpy as np
    import scipy.sparse as sp

    if not VOTES[vote]:
        return scores
    group = groups(rows, vote)
    shape = (int(group.max(initial=-1)) + 1, len(group))
    of_row = sp.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))), shape)
    means = cast("np.ndarray", of_row @ scores) / np.bincount(group)[:, None].astype(np.float32)
    return means[group]


def groups(rows: pa.Table, vote: str) -> np.ndarray:
    """int64 [rows]: number of the group that a row votes in. Where no object is known, its module is one."""
    import numpy as np

    columns = [rows[name].to_pylist() for name in VOTES[vote]]
    if vote == "object":
        modules = rows["module"].to_pylist()
        columns[-1] = [top(owner) or module for owner, module in zip(columns[-1], modules, strict=True)]
    numbers: dict[tuple, int] = {}
    keys = zip(*columns, strict=True)
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64, rows.num_rows)


def top(owner: str | None) -> str:
    """`Catalog.Валюты.Form.ФормаСписка` is a part of `Catalog.Валюты`."""
    return ".".join((owner or "").split(".")[:2])
