"""All metadata that assets emit: the same facts under the same names everywhere. No reading, no writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.domain.onec.tables import TABLES, Table
from ai_stack_assets.domain.stores.sync import SyncReport
from ai_stack_assets.orchestration import keys

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.onec.extraction import ExtractionReport
    from ai_stack_assets.domain.onec.history.backfill import Day, History
    from ai_stack_assets.domain.vectorisers.contract import FitRecord

_TYPES = {"text": "string", "json": "json", "int": "int32", "bool": "bool"}

_FOREIGN_KEYS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "objects": {"owner_id": (("objects", "id"),)},
    "fields": {"object_id": (("objects", "id"),), "parent_id": (("fields", "id"),)},
    "references": {
        "source_id": (("objects", "id"), ("fields", "id"), ("methods", "id")),
        "source_object_id": (("objects", "id"),),
        "target_id": (("objects", "id"), ("fields", "id"), ("methods", "id")),
    },
    "modules": {"object_id": (("objects", "id"),)},
    "methods": {"module_id": (("modules", "id"),), "object_id": (("objects", "id"),)},
    "calls": {
        "caller_id": (("methods", "id"), ("modules", "id")),
        "module_id": (("modules", "id"),),
        "target_id": (("methods", "id"),),
    },
    "queries": {
        "place_id": (("methods", "id"), ("modules", "id"), ("fields", "id")),
        "object_id": (("objects", "id"),),
    },
    "rejected": {},
}


def table_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                c.name,
                _TYPES[c.type],
                c.description,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in table.columns
        ]
    )


def table_definition(table: Table) -> dict[str, Any]:
    """What is known before any run."""
    return {"dagster/column_schema": table_schema(table), "dagster/column_lineage": lineage(table.name)}


def lake_table(report: ExtractionReport, name: str) -> dict[str, Any]:
    """One table of a version: rows, what changed since the last one, where it lies, where it came from."""
    change, version = report.tables[name], report.version
    return {
        "dagster/row_count": change.rows,
        "dagster/table_name": f"onec.{version.configuration}.{name}",
        "dagster/uri": version.uri(name),
        "dagster/column_schema": table_schema(TABLES[name]),
        "dagster/column_lineage": lineage(name),
        "size_bytes": change.bytes,
        **{what: getattr(change, what) for what in ("added", "changed", "removed")},
        "lake_version": version.id,
        "source": report.source,
        "seconds": report.seconds,
        "files": report.files,
        "rejected_by_reason": report.rejected,
        **pinned(report.pin),
    }


def pinned(pin: str | None) -> dict[str, Any]:
    """Said by every asset of a configuration that is held at a version."""
    return {"pinned_to": pin} if pin else {}


def lineage(table: str) -> dg.TableColumnLineage:
    """Which columns of the lake the identifiers in this table are taken from."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(keys.lake(other), name) for other, name in sources]
            for column, sources in _FOREIGN_KEYS[table].items()
        }
    )


def store(report: SyncReport, version: Version) -> dict[str, Any]:
    """What a synchronisation did: rows by collection, what travelled, how long each phase took."""
    return {
        "dagster/row_count": report.total("rows"),
        **{what: report.total(what) for what in ("added", "changed", "removed")},
        "sent_bytes": report.total("bytes"),
        "lake_version": version.id,
        "seconds": report.seconds,
        "collections": dg.TableMetadataValue(
            [
                dg.TableRecord({"collection": name, **{k: getattr(c, k) for k in _COUNTS}})
                for name, c in report.collections.items()
            ],
            dg.TableSchema([dg.TableColumn("collection"), *(dg.TableColumn(k, "int") for k in _COUNTS)]),
        ),
    }


_SHOWN = 20
_COUNTS = ("rows", "added", "changed", "removed", "bytes")


def answer(rows: Sequence[Mapping[str, Any]], uri: str, version: Version) -> dict[str, Any]:
    """What a store answered: all of it in the file, the first rows to look at here."""
    columns = list(rows[0]) if rows else []
    lines = [columns, ["---"] * len(columns), *([row[c] for c in columns] for row in rows[:_SHOWN])]
    table = "\n".join(
        f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines if line
    )
    return {
        "dagster/row_count": len(rows),
        "dagster/uri": uri,
        "answer": dg.MarkdownMetadataValue(table),
        "lake_version": version.id,
    }


def vectoriser(record: FitRecord, version: Version) -> dict[str, Any]:
    """Which model is in use, and why it was or was not fitted again."""
    return {
        "model": f"{record.name} {record.version}",
        "dimensions": record.size,
        "is_refitted": record.is_refitted,
        "reason": record.reason,
        "drift": record.drift,
        "lake_version": version.id,
        "seconds": {"fit": record.seconds},
    }


def history_day(past: History, day: Day, table: str, *, with_trend: bool) -> dict[str, Any]:
    """One day of one table of history. Numbers are plotted by Dagster over the partitions; days without a commit have none."""
    from ai_stack_assets.domain.common.charts import image
    from ai_stack_assets.domain.onec.history import trend

    facts: dict[str, Any] = {"status": day.status, "seconds": day.seconds, "parsed_files": day.parsed}
    if day.commit and day.since:
        facts |= {
            "commit": day.commit.id,
            "since": day.since.isoformat(),
            "source": past.log.uri,
            "ref": past.log.ref,
        }
    rows: dict[str, int] = dict.fromkeys(("history", "history_kinds", "history_changes"), 0)
    if day.row:
        version = past.lake.require(day.day.isoformat())
        rows = {name: version.rows(name) for name in rows}
        facts |= {"lake_version": version.id, "dagster/uri": version.uri(table)}
        facts |= _of_table(day, table)
    if with_trend:
        draw = {"history": trend.states, "history_kinds": trend.kinds, "history_changes": trend.churn}[table]
        facts["trend"] = dg.MarkdownMetadataValue(image(draw(past.kept), f"{table} by day"))
        if outdated := past.outdated:
            facts["days_to_make_again"] = outdated[:_SHOWN]
    return {"dagster/row_count": rows[table], **facts}


def _of_table(day: Day, table: str) -> dict[str, Any]:
    if table == "history_kinds":
        return {"objects_by_kind": day.kinds}
    if table == "history_changes":
        return {"sample": day.sample, "previous_commit": day.row["previous_commit"] or "none"}
    said = ("day", "commit", "status")
    return {name: value for name, value in day.row.items() if name not in said and value is not None}
