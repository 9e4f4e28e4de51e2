"""Pictures of a configuration's past: one small panel per number, days from left to right. Pure: kept facts in, SVG out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from ai_stack_assets.domain.common.charts import FILL, INK, MUTED, WIDTH, number
from ai_stack_assets.domain.onec.history.tables import READ

MAX_POINTS = 300
"""More states than pixels show nothing more, and every event of a backfill carries its picture."""
MAX_KINDS = 8
PER_ROW, _PANEL, _TOP = 2, 104, 30
_COLOURS = {"added": "#2e9e5b", "changed": FILL, "removed": "#d64545"}

Kept = Mapping[str, Mapping[str, Any]]
"""Facts (`row`, `kinds`) by day, in order, as `History.kept` has them."""


def states(kept: Kept) -> str:
    """How large and how complex the configuration was."""
    rows = [facts["row"] for facts in _thinned(kept) if facts["row"]["status"] == READ]
    names = ("objects", "methods", "lines", "cyclomatic", "duplicate_methods", "queries")
    return _panels(rows, {n.replace("_", " "): [row[n] for row in rows] for n in names if rows})


def kinds(kept: Kept) -> str:
    """The kinds with most objects in the last state."""
    shown = [facts for facts in _thinned(kept) if facts["row"]["status"] == READ]
    last = shown[-1]["kinds"] if shown else {}
    largest = sorted(last, key=lambda kind: -last[kind])[:MAX_KINDS]
    return _panels([f["row"] for f in shown], {k: [f["kinds"].get(k, 0) for f in shown] for k in largest})


def churn(kept: Kept) -> str:
    """What each state added, changed and removed."""
    rows = [facts["row"] for facts in kept.values() if facts["row"]["previous_commit"]]
    panels = rows and [
        _stacks(
            rows, f"{what}: added, changed, removed", [(rows_of, f"{what}_{rows_of}") for rows_of in _COLOURS]
        )
        for what in ("objects", "methods")
    ]
    return _svg(panels, rows)


def _thinned(kept: Kept) -> list[Mapping[str, Any]]:
    facts = list(kept.values())
    step = -(-len(facts) // MAX_POINTS) or 1
    # counted from the end: the last state is always shown
    return facts[::-1][::step][::-1]


# ---- drawing


def _panels(rows: Sequence[Mapping[str, Any]], series: Mapping[str, Sequence[float]]) -> str:
    return _svg([_line(rows, name, values) for name, values in series.items()], rows)


def _places(rows: Sequence[Mapping[str, Any]], width: float) -> list[float]:
    """Where each row's day lies between 0 and the width."""
    days = [date.fromisoformat(row["day"]).toordinal() for row in rows]
    span = max(days[-1] - days[0], 1)
    return [(day - days[0]) * width / span for day in days]


def _line(rows: Sequence[Mapping[str, Any]], name: str, values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    # what never changed runs through the middle: on the ground it would look like nothing at all
    bottom = low if low < high else min(low, 0)
    places = _places(rows, _WIDE)
    heights = [_TALL - (value - bottom) * _TALL / ((high - low) or 2 * high or 1) for value in values]
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(places, heights, strict=True))
    said = number(low) if low == high else f"{number(values[0])} → {number(values[-1])}"
    dot = f"<circle cx='{places[-1]:.0f}' cy='{heights[-1]:.0f}' r='3' fill='{FILL}'/>"
    return (
        f"{_title(name, said)}<polyline points='{points}' fill='none' stroke='{FILL}' stroke-width='2'/>{dot}"
    )


def _stacks(rows: Sequence[Mapping[str, Any]], name: str, parts: Sequence[tuple[str, str]]) -> str:
    """One stack a state, by the day it came; a root scale, since one mass change would flatten all the others."""
    total = [sum(row[column] or 0 for _, column in parts) for row in rows]
    largest = max(total) or 1
    drawn = []
    for x, row, whole in zip(_places(rows, _WIDE), rows, total, strict=True):
        scale = _TALL * (whole / largest) ** 0.5 / (whole or 1)
        y = float(_TALL)
        for part, column in parts:
            height = (row[column] or 0) * scale
            y -= height
            if height:
                drawn.append(
                    f"<rect x='{x:.0f}' y='{y:.1f}' width='3' height='{height:.1f}' fill='{_COLOURS[part]}'/>"
                )
    return f"{_title(name, f'at most {number(largest)}')}{''.join(drawn)}"


_WIDE, _TALL = WIDTH // PER_ROW - 36, _PANEL - 46


def _title(name: str, said: str) -> str:
    return (
        f"<text x='0' y='-10' fill='{INK}'>{escape(name)}</text>"
        f"<text x='{_WIDE}' y='-10' text-anchor='end' fill='{MUTED}'>{said}</text>"
        f"<line x1='0' x2='{_WIDE}' y1='{_TALL}' y2='{_TALL}' stroke='{MUTED}' stroke-opacity='0.4'/>"
    )


def _svg(panels: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    height = _TOP + -(-len(panels) // PER_ROW) * _PANEL
    placed = [
        f"<g transform='translate({16 + i % PER_ROW * WIDTH // PER_ROW},{_TOP + 24 + i // PER_ROW * _PANEL})'>{panel}</g>"
        for i, panel in enumerate(panels)
    ]
    span = f"{rows[0]['day']} – {rows[-1]['day']}, {len(rows)} states" if rows else "nothing yet"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' role='img' "
        "font-family='Inter,Segoe UI,Helvetica,Arial,sans-serif' font-size='12'>"
        f"<rect width='100%' height='100%' rx='6' fill='white'/>"
        f"<text x='16' y='20' fill='{MUTED}'>{span}</text>{''.join(placed)}</svg>"
    )
