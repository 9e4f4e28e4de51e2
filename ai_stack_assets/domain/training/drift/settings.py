"""What counts as drift: the section `drift` of `training.yaml`. No measuring here."""

from __future__ import annotations

from dataclasses import dataclass, field

NONE, MEDIUM, HIGH = LEVELS = ("none", "medium", "high")
"""From quiet to loud."""


@dataclass(frozen=True)
class Threshold:
    """From which value on a number is worth a look, and from which on everything is trained again."""

    medium: float
    high: float

    def level(self, value: float) -> str:
        return HIGH if value >= self.high else MEDIUM if value >= self.medium else NONE


@dataclass(frozen=True)
class DriftSettings:
    """Levels that these thresholds give on public code: two random halves of a library (35,670 methods) none, its versions 3.1
    and 3.2 none, two halves by module medium, its versions 3.0 and 3.2 medium (new subsystems brought new words), the code of two
    other vendors high."""

    psi: Threshold = field(default_factory=lambda: Threshold(0.1, 0.25))
    """Of one feature; the customary bounds (Siddiqi, Credit Risk Scorecards, 2006)."""
    ks: Threshold = field(default_factory=lambda: Threshold(0.1, 0.2))
    """Of one feature: largest difference of the two distribution functions."""
    features: Threshold = field(default_factory=lambda: Threshold(0.1, 0.3))
    """Share of the features that moved by `psi` or `ks`."""
    mean_shift: Threshold = field(default_factory=lambda: Threshold(0.1, 0.25))
    """Distance of the mean vectors in units of the reference's spread."""
    mmd: Threshold = field(default_factory=lambda: Threshold(0.05, 0.15))
    """Maximum mean discrepancy of the vectors, 0 to 1."""
    new_terms: Threshold = field(default_factory=lambda: Threshold(0.02, 0.10))
    """Share of the code's words that the reference does not have at all."""
    vocabulary: Threshold = field(default_factory=lambda: Threshold(0.05, 0.15))
    """Jensen-Shannon divergence of the words' frequencies, 0 to 1."""
    performance: Threshold = field(default_factory=lambda: Threshold(0.05, 0.10))
    """How much of its metric a model has lost on code that is new, as a share of it."""
    significance: float = 0.01
    """What differs no more than chance would make it in one of so many cases has not moved."""
    rows: int = 200
    """Fewer than that, on either side, say nothing."""
    fresh_rows: int = 100
    """Examples that are needed to measure a model anew."""
    sample: int = 20_000
    """Methods that are compared, and kept to be compared with."""
    vectors: int = 1000
    """Methods of each side whose vectors are compared."""
    seed: int = 7
