"""One linear classifier over terms: fitted, asked, kept in a file. What it tells apart, and who votes, is not known here.

One against the rest with the squared hinge loss, by liblinear (Fan et al., 2008); scores become probabilities by one temperature
(Guo et al., 2017), set on rows that nothing was fitted on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.classifier.terms import PLACE, TEXT, Terms

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TEMPERATURES = (0.05, 50.0)
TOLERANCE = 0.01
"""Of liblinear. 7.5 s of CPU for 26,670 methods and 70 classes instead of 9.1 s at 0.0001; the metrics are equal."""


@dataclass(frozen=True)
class Settings:
    """Of one head. `view`: what of a row is read; `least`: rows that a term has to be in; `c`: the less, the smoother."""

    view: str
    least: int = 3
    c: float = 0.5


@dataclass(frozen=True)
class Head:
    """`weights` float32 [columns, classes], `bias` float32 [classes]."""

    terms: Terms
    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    def scores(self, rows: pa.Table) -> np.ndarray:
        """float32 [rows, classes]: the higher, the likelier."""
        return cast("np.ndarray", self.terms.matrix(rows) @ self.weights) + self.bias

    def save(self, file: Path) -> None:
        """One `.npz`, complete or not there."""
        import numpy as np

        draft = file.with_name(f".{file.name}")
        with draft.open("wb") as out:
            np.savez(
                out,
                view=self.terms.view,
                terms=np.frombuffer("\n".join(self.terms.known.to_pylist()).encode(), np.uint8),
                idf=self.terms.idf,
                classes=np.array(self.classes),
                weights=self.weights,
                bias=self.bias,
            )
        draft.replace(file)


def fit(
    rows: pa.Table,
    labels: Sequence[str],
    settings: Settings,
    *,
    seed: int,
    weights: np.ndarray | None = None,
    introduced: int = 0,
) -> Head:
    """A head that tells the labels apart, two or more. Equal arguments give equal weights.

    Args:
        weights: of the rows, 1 on average.
        introduced: see `Terms.fitted`.
    """
    import numpy as np
    from sklearn.svm import LinearSVC

    terms, matrix = Terms.fitted(rows, settings.view, settings.least, introduced)
    model = LinearSVC(C=settings.c, dual=True, tol=TOLERANCE, random_state=seed)
    model.fit(matrix, labels, sample_weight=weights)
    coefficients, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(coefficients) == 1:
        # liblinear keeps one row for two classes
        coefficients, bias = np.vstack([-coefficients, coefficients]), np.append(-bias, bias)
    return Head(
        terms,
        tuple(str(name) for name in model.classes_),
        np.ascontiguousarray(coefficients.T, np.float32),
        bias.astype(np.float32),
    )


def load(file: Path) -> Head:
    """What `Head.save` wrote. Raises PermanentError when the file is missing, damaged or of another shape."""
    import numpy as np
    import pyarrow as pa

    try:
        with np.load(file, allow_pickle=False) as data:
            known = pa.array(data["terms"].tobytes().decode().split("\n"), pa.string())
            terms = Terms(str(data["view"]), known, data["idf"])
            classes = tuple(data["classes"].tolist())
            head = Head(terms, classes, data["weights"], data["bias"])
        if head.weights.shape != (len(known), len(classes)) or terms.view not in (TEXT, PLACE):
            raise ValueError("its parts do not fit together")
        if not (len(terms.idf) == len(known) and len(head.bias) == len(classes)):
            raise ValueError("its parts do not fit together")
        if not np.isfinite(head.weights).all():
            raise ValueError("it has weights that are not finite")
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise PermanentError(f"the classifier's file {file} is missing or damaged: {error}") from error
    return head


def probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    """float32 [rows, classes]; the higher the temperature, the surer."""
    import numpy as np

    found = np.exp(temperature * (scores - scores.max(axis=1, keepdims=True)))
    return found / found.sum(axis=1, keepdims=True)


def temperature_of(scores: np.ndarray, classes: Sequence[str], truth: Sequence[str | None]) -> float:
    """The temperature under which the truth is likeliest; rows of other classes do not count, and 1 when none is left.

    Args:
        scores: of rows that nothing was fitted on.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    number = {name: i for i, name in enumerate(classes)}
    known = np.array([number.get(name or "", -1) for name in truth], np.int64)
    scores, known = scores[known >= 0], known[known >= 0]
    if not len(known):
        return 1.0

    def loss(log_temperature: float) -> float:
        found = probabilities(scores, np.exp(log_temperature))[np.arange(len(known)), known]
        return float(-np.log(np.maximum(found, 1e-9)).mean())

    best = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.exp(best.x))
