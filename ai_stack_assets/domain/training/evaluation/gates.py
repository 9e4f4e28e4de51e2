"""Whether a freshly trained model may replace the one in use: the gates, and the outcome that follows from them.

Each gate is one property with what was found and what was asked. Pure: nothing is measured, stored or moved here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.evaluation.bootstrap import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    Comparison,
    compare,
)

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.contract import Evaluation
    from ai_stack_assets.domain.training.evaluation.cost import Cost

Outcome = Literal["production", "staging", "retrain", "investigate"]
PRODUCTION, STAGING, RETRAIN, INVESTIGATE = "production", "staging", "retrain", "investigate"
MAX_SLICES = 20
"""Slices named in a message; the worst come first."""


@dataclass(frozen=True)
class Limits:
    """What a task's models are held to: one section of `training.yaml`."""

    target: float
    """Of the task's metric."""
    production: float = 0.95
    """Share of the target from which a model may become champion."""
    staging: float = 0.85
    """Share from which it is registered as challenger; below, other parameters are searched for, once on the same examples."""
    minimums: Mapping[str, float] = field(default_factory=dict)
    """Of other metrics, by name: each is a gate of its own. Below one, a model is a challenger at most."""
    slice_margin: float = 0.05
    """How much worse than the champion's a slice may be, in units of the metric."""
    slice_rows: int = 100
    """Smaller slices are shown and not judged: their metric moves more than the margin by itself."""
    latency_ms: float | None = None
    rows_per_second: float | None = None
    size_mb: float | None = None
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        rules = (
            (0 < self.staging <= self.production, "0 < staging <= production"),
            (self.target > 0, "target > 0"),
            (0 < self.confidence < 1, "0 < confidence < 1"),
            (self.resamples >= 100, "resamples >= 100"),
            (self.slice_margin >= 0, "slice_margin >= 0"),
        )
        if broken := [rule for holds, rule in rules if not holds]:
            raise PermanentError(f"limits of training.yaml do not hold: {', '.join(broken)}")


@dataclass(frozen=True)
class Gate:
    """`said`: the finding in words, also when it passed."""

    name: str
    passed: bool
    actual: float | None
    threshold: float | None
    said: str


@dataclass(frozen=True)
class Decision:
    """What becomes of a model. `against` is the version of the champion that it was compared with; None: there was none."""

    outcome: Outcome
    reason: str
    metric: str
    value: float | None
    """None when it is not a number."""
    target: float
    gates: tuple[Gate, ...]
    against: str | None = None
    champion_value: float | None = None
    comparison: Comparison | None = None

    @property
    def failed(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if not gate.passed)

    def as_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> Decision:
        return msgspec.json.decode(text, type=Decision)


def decide(
    challenger: Evaluation,
    champion: Evaluation | None,
    limits: Limits,
    *,
    metric: str,
    baselines: Mapping[str, Evaluation] | None = None,
    cost: Cost | None = None,
    is_searched: bool = False,
    against: str | None = None,
    may_lack: Collection[str] = (),
    seed: int = SEED,
) -> Decision:
    """Judge a model on the test set that its champion and its baselines were measured on too.

    Args:
        is_searched: its parameters are the best of a search on these very examples: if they do not do, a person has to look.
        against: version of `champion`, so that nobody replaces another one than this was compared with.
        may_lack: metrics that an evaluation has only if some example asks for them: their minimums hold without.

    Raises:
        PermanentError: the evaluations lack the metric, or were not made on the same examples.
    """
    value = _value(challenger, metric, "the model")
    comparison = None
    if champion and math.isfinite(value):
        sizes = {"resamples": limits.resamples, "confidence": limits.confidence}
        comparison = compare(challenger, champion, **sizes, seed=seed)
    gates = (
        _threshold(metric, value, limits),
        *_minimums(challenger, limits, may_lack),
        *_baselines(metric, value, baselines or {}),
        _champion(metric, comparison, champion is not None, against),
        *(_slices(challenger, champion, metric, limits) if champion else ()),
        *_costs(cost, limits),
    )
    outcome, reason = _outcome(value, gates, limits, is_searched)
    old = _finite(_value(champion, metric, "the champion")) if champion else None
    gates = tuple(replace(gate, actual=_finite(gate.actual)) for gate in gates)
    return Decision(outcome, reason, metric, _finite(value), limits.target, gates, against, old, comparison)


def _outcome(
    value: float, gates: tuple[Gate, ...], limits: Limits, is_searched: bool
) -> tuple[Literal["production", "staging", "retrain", "investigate"], str]:
    failed = [gate for gate in gates if not gate.passed]
    why = "; ".join(gate.said for gate in failed)
    if not math.isfinite(value):
        return INVESTIGATE, f"the metric is {value}: the data or the fit is broken"
    if any(gate.name.startswith("beats ") for gate in failed):
        return INVESTIGATE, f"not worth having: {why}"
    if value < limits.staging * limits.target:
        if is_searched:
            return INVESTIGATE, f"below, and a search found no better parameters: {why}"
        return RETRAIN, f"below, other parameters may do better: {why}"
    if failed:
        return STAGING, why
    return PRODUCTION, "; ".join(gate.said for gate in gates)


def _value(evaluation: Evaluation, metric: str, whose: str) -> float:
    if metric not in evaluation.metrics:
        known = ", ".join(sorted(evaluation.metrics))
        raise PermanentError(f"the evaluation of {whose} has no metric {metric!r}: {known}")
    return float(evaluation.metrics[metric])


def _finite(value: float | None) -> float | None:
    """JSON has no other numbers."""
    return value if value is not None and math.isfinite(value) else None


def _threshold(metric: str, value: float, limits: Limits) -> Gate:
    threshold = limits.production * limits.target
    share = f"{value / limits.target:.0%} of the target {limits.target:g}, {limits.production:.0%} asked"
    return Gate("threshold", value >= threshold, value, threshold, f"{metric} {value:.4f} is {share}")


def _minimums(challenger: Evaluation, limits: Limits, may_lack: Collection[str]) -> Iterator[Gate]:
    for name, minimum in limits.minimums.items():
        if name in may_lack and name not in challenger.metrics:
            yield Gate(
                f"minimum {name}", True, None, minimum, f"{name} was not measured: no example asks for it"
            )
            continue
        value = _value(challenger, name, "the model")
        said = f"{name} {value:.4f}, {minimum:g} asked"
        yield Gate(f"minimum {name}", value >= minimum, value, minimum, said)


def _baselines(metric: str, value: float, baselines: Mapping[str, Evaluation]) -> Iterator[Gate]:
    for name, baseline in baselines.items():
        other = _value(baseline, metric, f"the baseline {name}")
        yield Gate(
            f"beats {name}",
            value > other,
            value,
            other,
            f"{metric} {value:.4f}, the baseline {name} has {other:.4f}",
        )


def _champion(metric: str, comparison: Comparison | None, has_champion: bool, against: str | None) -> Gate:
    if comparison is None:
        said = "cannot be compared with the champion" if has_champion else "there is no champion yet"
        return Gate("better than the champion", not has_champion, None, 0.0, said)
    is_better = comparison.low > 0
    said = f"{metric} against champion {against or ''} {comparison}".replace("  ", " ")
    said += "" if is_better else f": not above it with {comparison.confidence:.0%} confidence"
    return Gate("better than the champion", is_better, comparison.low, 0.0, said)


def _slices(challenger: Evaluation, champion: Evaluation, metric: str, limits: Limits) -> Iterator[Gate]:
    """One gate over all slices that both have and that are large enough: what the worst of them lost."""
    losses: dict[str, float] = {}
    for name, old in champion.slices.items():
        new = challenger.slices.get(name)
        if new and min(new["rows"], old["rows"]) >= limits.slice_rows:
            losses[name] = float(old[metric] - new[metric])
    worse = sorted(
        (n for n, loss in losses.items() if not loss <= limits.slice_margin), key=lambda n: -losses[n]
    )
    worst = max(losses.values(), default=0.0)
    said = f"none of {len(losses)} slices lost more than {limits.slice_margin:g}"
    if worse:
        named = ", ".join(f"{name} {-losses[name]:+.4f}" for name in worse[:MAX_SLICES])
        said = f"{len(worse)} of {len(losses)} slices lost more than {limits.slice_margin:g}: {named}"
    yield Gate("no slice worse", not worse, worst, limits.slice_margin, said)


def _costs(cost: Cost | None, limits: Limits) -> Iterator[Gate]:
    if cost is None:
        return
    upper = {"latency_ms": limits.latency_ms, "size_mb": limits.size_mb}
    for name, limit in upper.items():
        if limit is not None:
            value = getattr(cost, name)
            yield Gate(name, value <= limit, value, limit, f"{name} {value:g}, at most {limit:g}")
    if limits.rows_per_second is not None:
        value, limit = cost.rows_per_second, limits.rows_per_second
        yield Gate(
            "rows_per_second", value >= limit, value, limit, f"{value:,.0f} rows/s, {limit:,.0f} asked"
        )


def as_facts(decision: Decision) -> dict[str, Any]:
    """Plain values, for metadata and manifests."""
    return msgspec.to_builtins(decision)
