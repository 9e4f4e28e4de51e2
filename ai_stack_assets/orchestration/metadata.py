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


def history_period(past: History, days: Sequence[Day], table: str, *, is_last: bool) -> dict[str, Any]:
    """One table of a month (or day) of history. Dagster plots the numbers over the partitions; quiet ones have none.

    `is_last`: of its run, which shows the whole picture even when nothing happened then.
    """
    states = [day for day in days if day.row]
    facts: dict[str, Any] = {
        "status": [*days, *states][-1].status if days else "not_over_yet",
        "source": past.log.uri,
        "ref": past.log.ref,
        "seconds": round(sum(day.seconds for day in days), 3),
        "parsed_files": sum(day.parsed for day in days),
    }
    if days and (last := days[-1]).commit:
        facts |= {"commit": last.commit.id, "since": str(last.since)}
    if states:
        facts |= _history_table(past, states, table)
    trend = _trend(past, table) if states or is_last else {}
    return {"dagster/row_count": sum(_kept_rows(past, day, table) for day in states), **trend, **facts}


def _kept_rows(past: History, day: Day, table: str) -> int:
    return past.lake.require(day.day.isoformat()).rows(table)


def _history_table(past: History, states: Sequence[Day], table: str) -> dict[str, Any]:
    last = states[-1]
    place = past.lake.require(last.day.isoformat()).uri(table)
    if table == "history_kinds":
        return {"dagster/uri": place, "objects_by_kind": last.kinds}
    if table == "history_changes":
        return {"dagster/uri": place, "sample": {str(day.day): day.sample for day in states}}
    rows = [day.row for day in states]
    sums = {name: sum(row[name] or 0 for row in rows) for name in last.row if name.endswith(_CHURN)}
    numbers = {name: value for name, value in last.row.items() if isinstance(value, int)} | sums
    lines = [[row["day"], row["commit"][:10], *(row[name] for name in _IN_SHORT)] for row in rows]
    shown = _table(["day", "commit", *(name.replace("_", " ") for name in _IN_SHORT)], lines)
    return {"dagster/uri": place, "states": dg.MarkdownMetadataValue(shown), **numbers}


_CHURN = ("_added", "_changed", "_removed")
_IN_SHORT = ("objects", "methods", "lines", "methods_added", "methods_changed", "methods_removed")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    from ai_stack_assets.domain.common.charts import table

    return table(columns, [["·" if cell is None else cell for cell in row] for row in rows])


def _trend(past: History, table: str) -> dict[str, Any]:
    from ai_stack_assets.domain.common.charts import image
    from ai_stack_assets.domain.onec.history import trend

    draw = {"history": trend.states, "history_kinds": trend.kinds, "history_changes": trend.churn}[table]
    outdated = past.outdated
    again = {"days_to_make_again": outdated[:_SHOWN]} if outdated else {}
    return {"trend": dg.MarkdownMetadataValue(image(draw(past.kept), f"{table} by day")), **again}
