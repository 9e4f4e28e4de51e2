"""When a vectoriser that learns from the corpus is fitted again, and where its models lie.

    <folder>/lsa-<version>.npz    one fitted model; a few are kept: what is published may be an older one
    <folder>/lsa.json             which is current

Fitting again means computing every vector again, so one changed module must not cause it: only drift does.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets.domain.vectorisers.contract import FitRecord
from ai_stack_assets.domain.vectorisers.lsa import Lsa
from ai_stack_assets.domain.vectorisers.texts import TEXTS_VERSION, corpus

if TYPE_CHECKING:
    import numpy as np

MAX_DRIFT = 0.2
"""Share of methods with a body that the model has not seen. One changed module of 2,200 makes 0.1 %."""
KEPT_MODELS = 3
_CURRENT = "lsa.json"


def ensure_fitted(version: Version, folder: Path, *, refit: bool = False) -> tuple[Lsa, FitRecord]:
    """The current model; fitted now if there is none, it is of older code, has drifted, or on request."""
    started = time.perf_counter()
    model, reason = _reusable(folder)
    bodies = _bodies(version)
    drift = _drift(bodies, model)
    if model is not None and drift > MAX_DRIFT:
        reason = f"{drift:.0%} of the methods are new since the last fit"
    if refit and model is not None:
        reason = "on request"
    is_refitted = bool(reason)
    if reason or model is None:
        model = Lsa.fit(corpus(version), seen=bodies)
        _save(model, folder)
    record = FitRecord(
        model.name, model.version, model.size, is_refitted,
        reason or f"{drift:.1%} of the methods are new since the last fit: at most {MAX_DRIFT:.0%} may be",
        round(drift, 4), round(time.perf_counter() - started, 3),
    )  # fmt: skip
    return model, record


def load_fitted(folder: Path, version: str | None = None) -> Lsa:
    """A model by its version; the current one by default. Raises PermanentError when it is not there."""
    version = version or _current(folder).get("version")
    path = folder / f"lsa-{version}.npz"
    if not version or not path.exists():
        raise PermanentError(
            f"no model lsa {version or ''} in {folder}: fit the vectoriser first, then synchronise"
        )
    return Lsa.load(path)


def _reusable(folder: Path) -> tuple[Lsa | None, str]:
    """The current model, or the reason why there is none."""
    current = _current(folder)
    if not current:
        return None, "no model yet"
    if current.get("texts") != TEXTS_VERSION:
        return None, "the texts are made another way now"
    try:
        return load_fitted(folder), ""
    except PermanentError as error:
        return None, str(error)


def _current(folder: Path) -> dict[str, str]:
    path = folder / _CURRENT
    return msgspec.json.decode(path.read_bytes()) if path.exists() else {}


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


def _save(model: Lsa, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lsa-{model.version}.npz"
    _replace(path, model.to_bytes())
    _replace(folder / _CURRENT, msgspec.json.encode({"version": model.version, "texts": TEXTS_VERSION}))
    models = sorted(folder.glob("lsa-*.npz"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
    for old in models[KEPT_MODELS:]:
        old.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all, for readers and after a kill."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
