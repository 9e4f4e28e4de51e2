"""What a person looks at after a week's build, as markdown for the asset's page.

Takes the facts of the stages, draws with `charts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ai_stack_assets.domain.common import charts

NOTHING = "Nothing to show."
_SIZES = ((2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, None))


def by_source(rows_in: Mapping[str, int], kept: Mapping[str, int]) -> str:
    """What each source brought, and what was left after exact duplicates were merged."""
    if not rows_in:
        return NOTHING
    picture = charts.image(charts.bars(rows_in, "Rows by source"), _told("Rows by source", rows_in))
    rows = [
        [source, count, kept.get(source, 0), count - kept.get(source, 0)] for source, count in rows_in.items()
    ]
    return f"{picture}\n\n{charts.table(['source', 'rows', 'kept', 'duplicates'], rows)}"


def by_reason(rejected: Mapping[str, int], rows_in: int) -> str:
    """Why rows were left out, the most frequent reason first."""
    if not rejected:
        return NOTHING
    ordered = dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0])))
    title = f"Rejected: {charts.number(sum(ordered.values()))} of {charts.number(rows_in)} rows"
    return charts.image(charts.bars(ordered, title), _told(title, ordered))


def by_kind(redactions: Mapping[str, int]) -> str:
    """What was redacted, as a table: the numbers are small, and each counts."""
    rows = sorted(redactions.items(), key=lambda item: (-item[1], item[0]))
    return charts.table(["redacted", "times"], rows) if rows else NOTHING


def score_histogram(counts: Sequence[int], mean: float | None, least: float) -> str:
    """Records by `quality_score`, `counts` in equal bins from 0 to 1."""
    if mean is None or not sum(counts):
        return NOTHING
    bins = {f"{index / len(counts):.2f}": count for index, count in enumerate(counts)}
    title = f"Quality score: mean {mean:.3f}, must exceed {least:g}"
    return charts.image(charts.columns(bins, title, every=max(1, len(counts) // 10)), title)


def cluster_sizes(sizes: Mapping[int, int]) -> str:
    """Clusters of near duplicates by their size: size → how many clusters have it. Clusters of one are left out."""
    bins = {
        _range(*limits): sum(n for size, n in sizes.items() if _is_in(size, *limits)) for limits in _SIZES
    }
    if not any(bins.values()):
        return NOTHING
    clusters = sum(bins.values())
    title = f"{charts.number(clusters)} clusters of near duplicates by size, the largest {charts.number(max(sizes))}"
    return charts.image(charts.columns(bins, title), _told(title, bins))


def split_sizes(rows: Mapping[str, int]) -> str:
    """Rows of each split."""
    if not sum(rows.values()):
        return NOTHING
    return charts.image(charts.bars(rows, "Rows by split"), _told("Rows by split", rows))


def _range(first: int, last: int | None) -> str:
    return str(first) if first == last else f"{first}–{last}" if last else f"{first}+"


def _is_in(size: int, first: int, last: int | None) -> bool:
    return size >= first and (last is None or size <= last)


def _told(title: str, values: Mapping[str, int]) -> str:
    """The same in words, for those who cannot see the picture."""
    return f"{title}: " + ", ".join(
        f"{name} {charts.number(value)}" for name, value in values.items() if value
    )
