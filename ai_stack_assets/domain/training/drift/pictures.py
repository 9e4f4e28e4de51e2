"""The drift report for people: tables and charts in markdown. Nothing is computed here."""

from __future__ import annotations

from ai_stack_assets.domain.common import charts
from ai_stack_assets.domain.training.drift.report import DriftReport, FeatureDrift
from ai_stack_assets.domain.training.drift.settings import NONE

_DRAWN = 4
"""Features with a chart of their own: those that moved most."""
_LABEL = 12
"""Letters of a label: two bins wide in the chart of a dozen."""


def pictures(report: DriftReport) -> dict[str, str]:
    """Title → markdown; only what was measured."""
    shown = {"signals": _signals(report), "features": _features(report)}
    drawn = [feature for feature in report.features if feature.psi > 0][:_DRAWN]
    shown |= {f"distribution of {feature.name}": _distribution(feature, report) for feature in drawn}
    shown |= {"embedding space": _embedding(report), "vocabulary": _vocabulary(report)}
    shown["performance"] = _performance(report)
    return {title: text for title, text in shown.items() if text}


def markdown(report: DriftReport) -> str:
    """The whole report."""
    rows = f"{report.rows[0]:,} and {report.rows[1]:,} methods, {report.fresh_rows:,} of them new"
    head = [f"# Drift of {report.current} against {report.reference}: {report.level}", f"{rows}."]
    reasons = "\n".join(f"- {reason}" for reason in report.reasons)
    parts = [f"## {title[0].upper()}{title[1:]}\n\n{text}" for title, text in pictures(report).items()]
    return "\n\n".join([*head, reasons, *parts]) + "\n"


def _signals(report: DriftReport) -> str:
    rows = [
        (s.name, _short(s.value), f"{s.medium:g}", f"{s.high:g}", s.level, s.note) for s in report.signals
    ]
    return charts.table(["signal", "value", "medium from", "high from", "level", ""], rows) if rows else ""


def _features(report: DriftReport) -> str:
    if not report.features:
        return ""
    rows = [
        (
            f.name,
            f.level,
            _short(f.psi),
            "·" if f.ks is None else _short(f.ks),
            f"{f.p:.1g}",
            f.reference,
            f.current,
        )
        for f in report.features
    ]
    table = charts.table(["feature", "level", "PSI", "KS", "p", "reference", "current"], rows)
    values = {feature.name: feature.psi for feature in report.features}
    drawn = charts.bars(values, "Population stability index by feature", shares=False)
    return f"{charts.image(drawn, 'PSI by feature')}\n\n{table}"


def _distribution(feature: FeatureDrift, report: DriftReport) -> str:
    first, second = feature.histogram.shares()
    labels = [label[:_LABEL] for label in feature.histogram.labels]
    drawn = charts.pairs(
        [*zip(labels, first, second, strict=True)],
        f"{feature.name}: share of the methods",
        (f"{report.reference}, when trained", f"{report.current}, now"),
    )
    return charts.image(drawn, f"distribution of {feature.name} on both sides")


def _embedding(report: DriftReport) -> str:
    if not (found := report.embedding):
        return ""
    chance = "within chance" if found.p >= 0.05 else "more than chance"
    return (
        f"Vectors of {found.vectors}, {found.rows:,} methods of each side: the mean is {_short(found.mean_shift)} of the "
        f"reference's spread away, maximum mean discrepancy {_short(found.mmd)} (p = {found.p:.2g}: {chance})."
    )


def _vocabulary(report: DriftReport) -> str:
    if not (words := report.vocabulary):
        return ""
    said = (
        f"{words.new_share:.1%} of the words are new (two halves of the reference: {words.new_share_floor:.1%}); divergence "
        f"{_short(words.divergence)} ({_short(words.divergence_floor)})."
    )
    tables = []
    if words.new_terms:
        tables.append(charts.table(["new word", "times"], [*words.new_terms.items()]))
    if words.grown:
        grown = [(term, f"{change:+.3%}") for term, change in words.grown.items()]
        tables.append(charts.table(["word that moved most", "change of its share"], grown))
    return "\n\n".join([said, *tables])


def _performance(report: DriftReport) -> str:
    rows = [
        (
            one.task,
            one.metric,
            _short(one.recorded),
            *_measured(one.value, one.low, one.high),
            one.rows,
            one.note,
        )
        for one in report.performance
    ]
    return (
        charts.table(["model", "metric", "when chosen", "now", "95 %", "examples", ""], rows) if rows else ""
    )


def _measured(value: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    if value is None or low is None or high is None:
        return "not measured", ""
    return _short(value), f"{_short(low)} – {_short(high)}"


def _short(value: float) -> str:
    return f"{value:.3g}" if value else "0"


def one_line(report: DriftReport) -> str:
    """For logs and skip reasons."""
    moved = sum(feature.level != NONE for feature in report.features)
    return f"drift {report.level} ({moved} of {len(report.features)} features moved): {report.reason}"
