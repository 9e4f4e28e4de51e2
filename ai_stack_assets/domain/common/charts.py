"""Small pictures for the pages of assets: numbers in, SVG out, and the markdown that shows it. No plotting library, no files.

Dagster shows an SVG as a markdown image with a `data:` address (seen in Chromium). Each chart brings its own white ground, so it
reads in the dark theme too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 640
INK, MUTED, FILL = "#1f2430", "#6b7280", "#4f6bed"
_FONT = "font-family='Inter,Segoe UI,Helvetica,Arial,sans-serif' font-size='12'"
_ROW, _LABELS, _NUMBERS = 22, 200, 130
_HEIGHT, _FOOT = 150, 40
_LONGEST_LABEL = 32


def bars(values: Mapping[str, float], title: str, *, shares: bool = True) -> str:
    """SVG with one horizontal bar per entry, in the order given, its number and its share of the total behind it.

    `shares`: False for numbers whose total means nothing.
    """
    total, largest = sum(values.values()) or 1, max(values.values(), default=0) or 1
    room = WIDTH - _LABELS - _NUMBERS
    parts = []
    for row, (label, value) in enumerate(values.items()):
        y = 34 + row * _ROW
        width = room * value / largest
        parts.append(_text(_LABELS - 8, y + 14, _shortened(label), anchor="end"))
        parts.append(_box(_LABELS, y + 2, max(width, 1 if value else 0), _ROW - 6))
        note = f"{number(value)} · {value / total:.1%}" if shares else number(value)
        parts.append(_text(_LABELS + width + 6, y + 14, note, colour=MUTED))
    return _svg(34 + max(len(values), 1) * _ROW + 8, title, parts)


def columns(values: Mapping[str, float], title: str, *, every: int = 1) -> str:
    """SVG of a histogram: one column per bin, labels below each `every`-th, the largest count at the top left."""
    largest = max(values.values(), default=0) or 1
    step = (WIDTH - 60) / max(len(values), 1)
    base = 34 + _HEIGHT
    parts = [_text(8, 46, number(largest), colour=MUTED)]
    for index, (label, value) in enumerate(values.items()):
        x, height = 50 + index * step, _HEIGHT * value / largest
        parts.append(_box(x, base - height, step * 0.9, height, hint=f"{label}: {number(value)}"))
        if index % every == 0:
            parts.append(_text(x + step * 0.45, base + 16, label, anchor="middle", colour=MUTED))
    parts.append(f"<line x1='50' x2='{WIDTH - 8}' y1='{base}' y2='{base}' stroke='{MUTED}'/>")
    return _svg(base + _FOOT - 12, title, parts)


def pairs(bins: Sequence[tuple[str, float, float]], title: str, names: tuple[str, str]) -> str:
    """SVG of two histograms over the same bins, side by side: (label, first, second) with shares from 0 to 1."""
    largest = max((max(first, second) for _, first, second in bins), default=0) or 1
    step = (WIDTH - 60) / max(len(bins), 1)
    base = 54 + _HEIGHT
    parts = [_text(8, 66, f"{largest:.0%}", colour=MUTED)]
    for x, name, colour in zip((50, 300), names, (MUTED, FILL), strict=True):
        parts += [_box(x, 30, 12, 12, colour=colour), _text(x + 18, 41, _shortened(name))]
    for index, (label, *both) in enumerate(bins):
        for side, (value, colour) in enumerate(zip(both, (MUTED, FILL), strict=True)):
            x, height = 50 + (index + 0.42 * side) * step, _HEIGHT * value / largest
            parts.append(
                _box(x, base - height, step * 0.4, height, hint=f"{label}: {value:.1%}", colour=colour)
            )
        # two lines by turns: neighbours need not fit beside each other
        parts.append(
            _text(
                50 + (index + 0.42) * step, base + 16 + 14 * (index % 2), label, anchor="middle", colour=MUTED
            )
        )
    parts.append(f"<line x1='50' x2='{WIDTH - 8}' y1='{base}' y2='{base}' stroke='{MUTED}'/>")
    return _svg(base + _FOOT, title, parts)


def image(svg: str, description: str) -> str:
    """Markdown that shows an SVG; `description` is for those who cannot see it."""
    data = base64.b64encode(svg.encode()).decode()
    return f"![{description.replace('[', '(').replace(']', ')')}](data:image/svg+xml;base64,{data})"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown table; numbers are aligned to the right."""
    is_number = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))
    ]
    lines = [
        [str(c) for c in columns],
        ["---:" if right else "---" for right in is_number],
        *([number(c) if isinstance(c, int | float) else str(c) for c in row] for row in rows),
    ]
    # a bar would end the cell
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def number(value: float) -> str:
    """`12,345`, `0.83`."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'>{escape(text)}</text>"


def _box(x: float, y: float, width: float, height: float, *, hint: str = "", colour: str = FILL) -> str:
    shape = f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' rx='2' fill='{colour}'"
    return f"{shape}><title>{escape(hint)}</title></rect>" if hint else f"{shape}/>"


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    """The parts on a white ground under a title."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height:.0f}' "
        f"viewBox='0 0 {WIDTH} {height:.0f}' role='img' {_FONT}>"
    )
    ground = f"<rect width='100%' height='100%' rx='6' fill='white'/>{_text(8, 20, title)}"
    return f"{head}{ground}{''.join(parts)}</svg>"
