"""When a vectoriser that learns from the corpus is fitted again.

Fitting again means computing every vector again, so one changed module must not cause it: only drift does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.domain.vectorisers.contract import FitRecord
from ai_stack_assets.domain.vectorisers.lsa import Lsa
from ai_stack_assets.domain.vectorisers.models import Models
from ai_stack_assets.domain.vectorisers.texts import TEXTS_VERSION, corpus

if TYPE_CHECKING:
    import numpy as np

MAX_DRIFT = 0.2
"""Share of methods with a body that the model has not seen. One changed module of 2,200 makes 0.1 %."""


def ensure_fitted(version: Version, models: Models, *, refit: bool = False) -> tuple[Lsa, FitRecord]:
    """The current model; fitted now if there is none, it is of older code, has drifted, or on request."""
    started = time.perf_counter()
    model, reason = _reusable(models)
    bodies = _bodies(version)
    drift = _drift(bodies, model)
    if model is not None and drift > MAX_DRIFT:
        reason = f"{drift:.0%} of the methods are new since the last fit"
    if refit and model is not None:
        reason = "on request"
    is_refitted = bool(reason)
    if reason or model is None:
        texts = version.rows("objects") + version.rows("methods")
        model = Lsa.fit(corpus(version), seen=bodies, texts=texts)
        models.save(model, TEXTS_VERSION)
    record = FitRecord(
        model.name, model.version, model.size, is_refitted,
        reason or f"{drift:.1%} of the methods are new since the last fit: at most {MAX_DRIFT:.0%} may be",
        round(drift, 4), round(time.perf_counter() - started, 3),
    )  # fmt: skip
    return model, record


def _reusable(models: Models) -> tuple[Lsa | None, str]:
    """The current model, or the reason why there is none."""
    current = models.current()
    if not current:
        return None, "no model yet"
    if current.get("texts") != TEXTS_VERSION:
        return None, "the texts are made another way now"
    try:
        return models.load(current["version"]), ""
    except PermanentError as error:
        return None, str(error)


def _bodies(version: Version) -> np.ndarray:
    """Sorted uint64 [distinct bodies]: the first half of each method's `body_hash`."""
    import numpy as np

    hashes = version.table("methods", ["body_hash"])["body_hash"].to_pylist()
    return np.unique(np.fromiter((int(h[:16], 16) for h in hashes), np.uint64, len(hashes)))


def _drift(bodies: np.ndarray, model: Lsa | None) -> float:
    """A corpus that shrinks does not drift: what is left was seen."""
    import numpy as np

    if model is None:
        return 1.0
    return float(1 - np.isin(bodies, model.seen, assume_unique=True).mean()) if len(bodies) else 0.0
