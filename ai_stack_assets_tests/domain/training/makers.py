"""Records, versions and sets for the tests of features and preparation: small, and written here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.onec import tables as t
from ai_stack_assets.domain.training.features import compute
from ai_stack_assets.domain.training.features.sources import SplitRecords

WEEK = "2026-11-15"


def method(name: str, *lines: str) -> str:
    return "\n".join(
        [f"Функция {name}(Знач Сумма, Курс = 1) Экспорт", *lines, "\tВозврат Сумма * Курс;", "КонецФункции"]
    )


def a_record(name: str, owner: str = "CommonModule.КурсыВалют", *lines: str, **values: Any) -> dict[str, Any]:
    given = {
        "source": records.POSTGRES,
        "repository": "trade",
        "configuration": "trade",
        "path": f"{owner.replace('.', '/')}.bsl",
        "object": owner,
        "module_type": owner.partition(".")[0].replace("Catalog", "ObjectModule"),
        "method_name": name,
        "code": method(name, *lines),
    }
    return records.record(**{**given, **values})


def a_table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, records.schema())


def a_split(
    folder: Path, rows: Mapping[str, list[dict[str, Any]]], version: str = "given", week: str = WEEK
) -> Version:
    """As the dataset stage writes it: a table of records per split."""

    def write(parts: stage.Parts) -> dict[str, Any]:
        for name in SPLITS:
            parts.write(name, a_table(rows.get(name, [])))
        return {}

    return stage.build(Lake(folder / "splits"), week, version, write)[0]


def clusters(folder: Path, *kept: list[str]) -> Version:
    """As the dataset stage's deduplication writes them."""

    def write(parts: stage.Parts) -> dict[str, Any]:
        parts.write("clusters", pa.table({"kept_ids": pa.array(kept, pa.list_(pa.string()))}))
        return {}

    return stage.build(Lake(folder / "deduplicated"), WEEK, "given", write)[0]


def features_of(splits: Version) -> pa.Table:
    return pa.concat_tables([compute.compute(batch) for batch in SplitRecords(splits).batches()])


class AnyMethod:
    """A task that takes every row."""

    NAME = "any"
    CODE_VERSION = "1"

    def prepare(self, rows: pa.Table) -> pa.Table:
        return rows


def a_configuration(
    folder: Path,
    content: Mapping[str, list[str]],
    shown: tuple[str, ...] = (),
    name: str = "trade",
    version: str = "given",
) -> Version:
    """A configuration of the lake with subsystems.

    Args:
        content: subsystem (`Продажи`, `Типовые.Продажи` for one within another) → objects in it.
        shown: subsystems of the command interface.
    """
    objects, references = [], []
    for subsystem, members in content.items():
        id_ = ".".join(f"Subsystem.{part}" for part in subsystem.split("."))
        properties = '{"IncludeInCommandInterface":true}' if subsystem in shown else "{}"
        objects.append(t.ObjectRow(id_, "Subsystem", subsystem, "", "{}", "", None, "own", properties, ""))
        references += [
            t.ReferenceRow(f"{id_}>{m}", "SubsystemContent", id_, id_, m, "object", "", "{}") for m in members
        ]
    rows = {"objects": objects, "references": references, "modules": [_module()], "methods": _methods()}
    return write_version(Lake(folder / "onec"), name, {n: rows.get(n, []) for n in t.TABLES}, version)


MODULE = "CommonModule.КурсыВалют.Module"


def _module() -> t.ModuleRow:
    flags = [True, False, False, False, False, False, False, "DontUse"]
    owner, path = "CommonModule.КурсыВалют", "CommonModules/КурсыВалют/Module.bsl"
    return t.ModuleRow(MODULE, "CommonModule", owner, path, "parsed", 9, 9, *flags, "[]", "[]", "")


def _methods() -> list[t.MethodRow]:
    """Two methods, the second a twin of the first with other code."""
    return [
        t.MethodRow(
            id=f"{MODULE}.Курс{twin}", module_id=MODULE, object_id="CommonModule.КурсыВалют", name="Курс",
            kind="Function", is_export=True, is_async=False, directive="AtServer", annotations="[]", region="",
            signature="Курс(Знач Сумма, Курс = 1)", parameters="[]", doc_comment="Курс валюты.", doc="{}",
            start_line=1, end_line=3, cyclomatic=1, cognitive=0, statements=1, body=method("Курс", line),
            body_hash="",
        )
        for twin, line in (("", ""), ("~2", "\tСумма = Сумма + 1;"))
    ]  # fmt: skip
