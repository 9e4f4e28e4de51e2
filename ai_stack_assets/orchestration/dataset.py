"""From the dataset's stages to Dagster's events: what a person wants to see of each, and its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.domain.dataset import pictures, records

if TYPE_CHECKING:
    from ai_stack_assets.domain.dataset.leaks import Crossing
    from ai_stack_assets.domain.dataset.pipeline import Made
    from ai_stack_assets.domain.dataset.publishing.hub import Published
    from ai_stack_assets.domain.dataset.publishing.validation import Finding
    from ai_stack_assets.domain.dataset.sources.collect import Outcome

_SAMPLE = 20


def record_schema() -> dict[str, Any]:
    """Columns of a record, known before any run."""
    return {
        "dagster/column_schema": dg.TableSchema(
            [dg.TableColumn(name, kind, meaning) for name, (kind, meaning) in records.COLUMNS.items()]
        )
    }


def source_metadata(outcome: Outcome) -> dict[str, Any]:
    version, statistics = outcome.version, outcome.report.statistics
    facts = {
        "dagster/row_count": outcome.rows,
        "state": outcome.state,
        "asked": statistics,
    }
    if outcome.report.rejected:
        facts["rejected"] = _table(["place", "reason", "detail"], outcome.report.rejected[:_SAMPLE])
    if outcome.reason:
        facts["reason"] = outcome.reason
    if version:
        facts |= {
            "dagster/uri": version.uri("records"),
            "snapshot": version.id,
            "read": version.manifest["facts"],
        }
    return facts


def stage_metadata(made: Made, *counted: str, shown: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Rows, facts, and pictures (markdown by title)."""
    version = made.version
    tables = version.manifest["tables"]
    return {
        "dagster/row_count": sum(version.rows(name) for name in counted),
        **{title: dg.MarkdownMetadataValue(text) for title, text in (shown or {}).items()},
        "tables": _table(["table", "rows", "bytes"], [(n, t["rows"], t["bytes"]) for n, t in tables.items()]),
        "dagster/uri": version.uri(counted[0]),
        "is_new": made.is_new,
        "version": version.id,
        "facts": made.facts,
    }


def published_metadata(published: Published, statistics: Mapping[str, Any]) -> dict[str, Any]:
    splits = {name: split["rows"] for name, split in statistics["splits"].items()}
    return {
        "dagster/row_count": statistics["rows"],
        "dagster/uri": published.url,
        "repository": published.repository,
        "revision": published.commit,
        "branch": published.branch,
        "tag": published.tag,
        "is_new": published.is_new,
        "splits": dg.MarkdownMetadataValue(pictures.split_sizes(splits)),
        "licences": statistics["licences"],
        "mean_quality": statistics["quality"]["mean"],
    }


def findings(key: dg.AssetKey, found: Iterable[Finding]) -> list[dg.AssetCheckResult]:
    return [
        check(key, f.name, f.passed, f.actual, f.threshold, f.sample, dg.AssetCheckSeverity.ERROR)
        for f in found
    ]


def leaks(key: dg.AssetKey, found: Iterable[Crossing]) -> list[dg.AssetCheckResult]:
    return [check(key, c.name, c.passed, c.count, 0, c.sample) for c in found]


def check(
    key: dg.AssetKey,
    name: str,
    passed: bool,
    actual: Any,
    threshold: Any,
    sample: Sequence[Any] = (),
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    description: str = "",
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=bool(passed),
        severity=severity,
        description=description or None,
        metadata={"actual": actual, "threshold": threshold, "sample": list(sample)[:_SAMPLE]},
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.TableMetadataValue:
    found = [dict(zip(names, map(_cell, row), strict=True)) for row in rows]
    kinds = {name: "int" if found and isinstance(found[0][name], int) else "string" for name in names}
    return dg.TableMetadataValue(
        [dg.TableRecord(row) for row in found],
        dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()]),
    )


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) else str(value)
