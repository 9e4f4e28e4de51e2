"""Two versions of the features table compared: what moved, by how much, and what follows. Numbers only; pictures: `pictures`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training.drift import embedding, measures, vocabulary
from ai_stack_assets.domain.training.drift.embedding import EmbeddingDrift
from ai_stack_assets.domain.training.drift.measures import Histogram
from ai_stack_assets.domain.training.drift.performance import Performance, fresh
from ai_stack_assets.domain.training.drift.settings import LEVELS, MEDIUM, NONE, DriftSettings, Threshold
from ai_stack_assets.domain.training.drift.vocabulary import VocabularyDrift
from ai_stack_assets.domain.training.features import definitions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Vectorise = Callable[["pa.Table", "pa.Table"], "tuple[str, np.ndarray, np.ndarray]"]
"""Reference and current rows to the name of the vectors' maker and two matrices."""

CATEGORIES = ("module_type", "directive", "is_export", "is_function")
TERMS = "code_terms"


@dataclass(frozen=True)
class FeatureDrift:
    """One feature. `ks` is None for a category."""

    name: str
    level: str
    psi: float
    ks: float | None
    p: float
    """The smaller of the two: how probable as large a difference is when nothing moved."""
    reference: str
    current: str
    """Mean and share of nulls, or the most frequent value, for people."""
    histogram: Histogram


@dataclass(frozen=True)
class Signal:
    """One number that the decision looks at."""

    name: str
    value: float
    medium: float
    high: float
    level: str
    note: str = ""

    def __str__(self) -> str:
        bound = self.medium if self.level in (NONE, MEDIUM) else self.high
        relation = "is below" if self.level == NONE else "reaches"
        return f"{self.name} {self.value:.3g} {relation} {bound:g}{f' ({self.note})' if self.note else ''}"


@dataclass(frozen=True)
class DriftReport:
    """What moved between `reference` and `current` (names for people), and the decision."""

    reference: str
    current: str
    rows: tuple[int, int]
    fresh_rows: int
    level: str
    reasons: tuple[str, ...]
    """For `none`: what came closest, or why nothing was compared."""
    signals: tuple[Signal, ...] = ()
    features: tuple[FeatureDrift, ...] = ()
    """The ones that moved most first."""
    vocabulary: VocabularyDrift | None = None
    embedding: EmbeddingDrift | None = None
    performance: tuple[Performance, ...] = ()

    @property
    def reason(self) -> str:
        return "; ".join(self.reasons)

    def facts(self) -> dict[str, Any]:
        """Small and plain, for a manifest: what the sensors read."""
        return {
            "level": self.level,
            "reasons": list(self.reasons),
            "reference": self.reference,
            "current": self.current,
            "rows": {"reference": self.rows[0], "current": self.rows[1], "fresh": self.fresh_rows},
            "signals": {signal.name: round(signal.value, 6) for signal in self.signals},
            "performance": [asdict(one) for one in self.performance],
        }


def compare(
    reference: pa.Table,
    current: pa.Table,
    settings: DriftSettings | None = None,
    *,
    names: tuple[str, str] = ("reference", "current"),
    vectorise: Vectorise | None = None,
    performance: Sequence[Performance] = (),
) -> DriftReport:
    """Of two tables with the columns of `features.definitions`.

    Args:
        vectorise: makes vectors of both; without it they are not compared. `vectors.lsa` needs no champion.
        performance: of the champions on rows that are fresh to them.
    """
    settings = settings or DriftSettings()

    rows, least = (reference.num_rows, current.num_rows), min(reference.num_rows, current.num_rows)
    if least < settings.rows:
        why = f"{least} rows of {settings.rows} that a comparison needs"
        return DriftReport(*names, rows, 0, NONE, (why,), performance=tuple(performance))
    features = tuple(sorted(_features(reference, current, settings), key=lambda f: -f.psi))
    words = vocabulary.compare(reference[TERMS], current[TERMS], seed=settings.seed)
    vectors = _embedding(reference, current, vectorise, settings) if vectorise else None
    signals = tuple(_signals(features, words, vectors, performance, settings))
    level, reasons = decide(signals)
    count = fresh(current, reference, settings.sample).num_rows
    return DriftReport(
        *names, rows, count, level, reasons, signals, features, words, vectors, tuple(performance)
    )


def decide(signals: Sequence[Signal]) -> tuple[str, tuple[str, ...]]:
    """The loudest signal decides; all that are not quiet are reasons. When all are, the one that came closest is."""
    level = max((signal.level for signal in signals), key=LEVELS.index, default=NONE)
    if level == NONE:
        closest = max(signals, key=lambda s: s.value / s.medium, default=None)
        return NONE, (f"nothing moved: {closest}" if closest else "nothing was compared",)
    loud = sorted((s for s in signals if s.level != NONE), key=lambda s: -LEVELS.index(s.level))
    return level, tuple(map(str, loud))


def _features(reference: pa.Table, current: pa.Table, settings: DriftSettings) -> list[FeatureDrift]:
    numbers = [name for name in definitions.names(definitions.NUMBER) if name not in CATEGORIES]
    known = set(reference.schema.names) & set(current.schema.names)
    made = [_number(name, reference[name], current[name], settings) for name in numbers if name in known]
    return made + [
        _category(name, reference[name].to_pylist(), current[name].to_pylist(), settings)
        for name in CATEGORIES
        if name in known
    ]


def _number(
    name: str, reference: pa.ChunkedArray, current: pa.ChunkedArray, settings: DriftSettings
) -> FeatureDrift:
    import numpy as np
    import pyarrow as pa

    first, second = (column.cast(pa.float64()).to_numpy() for column in (reference, current))
    histogram = measures.histogram(first, second)
    index, p_index = measures.psi(histogram)
    statistic, p_statistic = measures.ks(first, second)
    levels = [
        settings.psi.level(index) if p_index < settings.significance else NONE,
        settings.ks.level(statistic) if p_statistic < settings.significance else NONE,
    ]
    said = [f"{np.nanmean(side):.3g}" if np.isfinite(side).any() else "unknown" for side in (first, second)]
    p = min(p_index, p_statistic)
    return FeatureDrift(name, max(levels, key=LEVELS.index), index, statistic, p, said[0], said[1], histogram)


def _category(name: str, reference: list[Any], current: list[Any], settings: DriftSettings) -> FeatureDrift:
    histogram = measures.categories(reference, current)
    index, p = measures.psi(histogram)
    level = settings.psi.level(index) if p < settings.significance else NONE
    said = [
        f"{histogram.labels[shares.index(max(shares))]} {max(shares):.0%}" for shares in histogram.shares()
    ]
    return FeatureDrift(name, level, index, None, p, said[0], said[1], histogram)


def _embedding(
    reference: pa.Table, current: pa.Table, vectorise: Vectorise, settings: DriftSettings
) -> EmbeddingDrift:
    """Vectors are made of a sample alone."""
    first, second = (sample(rows, settings.vectors, settings.seed) for rows in (reference, current))
    name, *matrices = vectorise(first, second)
    return embedding.compare(*matrices, name=name, rows=settings.vectors, seed=settings.seed)


def sample(rows: pa.Table, count: int, seed: int) -> pa.Table:
    import numpy as np

    if rows.num_rows <= count:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(rows.num_rows, count, replace=False)))


def _signals(
    features: Sequence[FeatureDrift],
    words: VocabularyDrift,
    vectors: EmbeddingDrift | None,
    performance: Sequence[Performance],
    settings: DriftSettings,
) -> list[Signal]:
    moved = [feature.name for feature in features if feature.level != NONE]
    share = len(moved) / max(len(features), 1)
    found = [
        _signal("share of features that moved", share, settings.features, note=", ".join(moved[:4])),
        _signal("new words", words.new_share, settings.new_terms, words.new_share_floor),
        _signal("vocabulary divergence", words.divergence, settings.vocabulary, words.divergence_floor),
    ]
    if vectors:
        chance = vectors.p >= settings.significance
        for name, value, threshold in (
            ("mean vector", vectors.mean_shift, settings.mean_shift),
            ("discrepancy of vectors", vectors.mmd, settings.mmd),
        ):
            found.append(_signal(name, value, threshold, value if chance else 0.0))
    found += [
        _signal(f"{one.task}: lost {one.metric}", one.loss, settings.performance, note=one.note)
        for one in performance
    ]
    return found


def _signal(name: str, value: float, threshold: Threshold, floor: float = 0.0, note: str = "") -> Signal:
    """`floor`: what chance alone does; a value that is not above it is quiet."""
    by_chance = value <= floor
    note = note or (f"chance alone makes {floor:.3g}" if floor else "")
    level = NONE if by_chance else threshold.level(value)
    return Signal(name, value, threshold.medium, threshold.high, level, note)
