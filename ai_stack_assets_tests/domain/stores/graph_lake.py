"""A small configuration for the graph's tests: rows by hand, versions by what differs from it."""

from __future__ import annotations

import json
from typing import Any

from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.onec.tables import (
    CallRow,
    FieldRow,
    MethodRow,
    ModuleRow,
    ObjectRow,
    QueryRow,
    ReferenceRow,
)

ROOT = "Configuration.Склад"
GOODS, STOCK, FORM = "Catalog.Товары", "AccumulationRegister.Остатки", "Catalog.Товары.Form.ФормаЭлемента"
ROLE, JOB = "Role.Кладовщик", "ScheduledJob.Пересчет"
PRICE, TABLE, ITEM = f"{GOODS}.Attribute.Цена", f"{GOODS}.TabularSection.Состав", f"{FORM}.Item.ПолеЦены"
QUANTITY = f"{STOCK}.Resource.Количество"
MANAGER, COMMON = f"{GOODS}.ManagerModule", "CommonModule.Учет.Module"
RECOUNT, BALANCE, ROUND = f"{COMMON}.Пересчитать", f"{COMMON}.Остаток", f"{MANAGER}.Округлить"
ON_CHANGE = f"{FORM}.Module.ЦенаПриИзменении"


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def an_object(id_: str, owner: str | None = ROOT) -> ObjectRow:
    kind, name = id_.split(".")[-2:]
    synonym = compact({"ru": name})
    return ObjectRow(id_, kind, name, "", synonym, "", owner, "own", "{}", f"{name}.xml")


def a_field(id_: str, object_id: str, parent: str | None = None) -> FieldRow:
    kind, name = id_.split(".")[-2:]
    kind = {"Item": "FormItem"}.get(kind, kind)
    return FieldRow(id_, kind, name, "", object_id, parent, 0, "{}", "", "[]", "", "own", "{}")


def a_module(id_: str) -> ModuleRow:
    return ModuleRow(
        id_,
        id_.rsplit(".", 1)[1],
        id_.rsplit(".", 1)[0],
        f"{id_}.bsl",
        "parsed",
        9,
        9,
        *[None] * 8,
        "[]",
        "[]",
        "ab",
    )


def a_method(id_: str, line: int = 1, annotations: str = "[]") -> MethodRow:
    module_id, name = id_.rsplit(".", 1)
    return MethodRow(
        id_, module_id, module_id.rsplit(".", 1)[0], name, "Procedure", True, False, None, annotations, "",
        f"{name}()", "[]", "", "{}", line, line + 2, 1, 0, 1, "", "ab",
    )  # fmt: skip


def a_call(caller: str, number: int, target: str | None, line: int = 1) -> CallRow:
    name = target.rsplit(".", 1)[1] if target else "Сообщить"
    module_id = caller if caller.endswith("Module") else caller.rsplit(".", 1)[0]
    return CallRow(
        f"{caller}#{number}", caller, module_id, None, name, line, "local" if target else "platform", target
    )


def a_reference(
    source: str,
    kind: str,
    target: str,
    target_kind: str,
    detail: str = "",
    owner: str = "",
    properties: str = "{}",
) -> ReferenceRow:
    id_ = f"{source}>{kind}>{target}" + (f">{detail}" if detail else "")
    return ReferenceRow(id_, kind, source, owner or source, target, target_kind, detail, properties)


def a_query(
    place: str, number: int, tables: list[tuple[str, str | None, str | None]], *fields: str
) -> QueryRow:
    read = [
        {"alias": "", "field_id": field, "name": name, "object_id": object_id, "virtual_table": None}
        for name, object_id, field in tables
    ]
    return QueryRow(
        f"{place}#query{number}",
        "module",
        place,
        GOODS,
        1,
        "ВЫБРАТЬ",
        False,
        compact(read),
        compact(fields),
        "[]",
        "[]",
    )


def tables() -> dict[str, list]:
    restricted = compact({"restrictions": [{"condition": "ГДЕ", "fields": []}]})
    return {
        "objects": [
            an_object(ROOT, None), *(an_object(i) for i in (GOODS, STOCK, ROLE, JOB, "CommonModule.Учет")),
            an_object(FORM, GOODS),
        ],
        "fields": [
            a_field(PRICE, GOODS), a_field(TABLE, GOODS), a_field(f"{TABLE}.Attribute.Товар", GOODS, TABLE),
            a_field(QUANTITY, STOCK), a_field(ITEM, FORM), a_field(f"{FORM}.Item.Группа", FORM),
        ],
        "modules": [a_module(MANAGER), a_module(COMMON), a_module(f"{FORM}.Module")],
        "methods": [a_method(RECOUNT), a_method(BALANCE, 5), a_method(ROUND), a_method(ON_CHANGE)],
        "calls": [
            a_call(RECOUNT, 1, BALANCE, 7), a_call(RECOUNT, 2, BALANCE, 3), a_call(BALANCE, 1, ROUND),
            a_call(ON_CHANGE, 1, ROUND), a_call(MANAGER, 1, ROUND), a_call(ON_CHANGE, 2, None),
        ],
        "queries": [
            a_query(BALANCE, 1, [("РегистрНакопления.Остатки.Остатки", STOCK, None), ("ВТ", None, None)],
                    "РегистрНакопления.Остатки.Остатки.КоличествоОстаток"),
            a_query(BALANCE, 2, [("РегистрНакопления.Остатки", STOCK, None)],
                    "РегистрНакопления.Остатки.количество"),
            a_query(ROUND, 1, [("Справочник.Товары.Состав", GOODS, TABLE)],
                    "Справочник.Товары.Состав.Товар.Код"),
        ],
        "references": [
            a_reference(f"{TABLE}.Attribute.Товар", "FieldType", GOODS, "object", owner=GOODS),
            a_reference(ITEM, "DataPath", PRICE, "field", "Объект.Цена", FORM),
            a_reference(ITEM, "FormEvent", ON_CHANGE, "method", "OnChange", FORM),
            a_reference(JOB, "ScheduledJobMethod", RECOUNT, "method"),
            a_reference(ROOT, "ChildObject", GOODS, "object"),
            a_reference(ROLE, "RoleRight", GOODS, "object", "View"),
            a_reference(ROLE, "RoleRight", GOODS, "object", "Read", properties=restricted),
            a_reference(ROLE, "RoleRightDenied", STOCK, "object", "Read"),
            a_reference(STOCK, "Owner", "Catalog.НетТакого", "unresolved"),
        ],
        "rejected": [],
    }  # fmt: skip


def lake_version(
    lake: Lake, rows: dict[str, list], version_id: str = "v1", configuration: str = "склад"
) -> Version:
    ordered = {name: sorted(table, key=lambda row: row.id) for name, table in rows.items()}
    return write_version(lake, configuration, ordered, version_id)


NASTY = [
    "x'}) DETACH DELETE n //",
    'a"b`c\\d',
    "$rows",
    "Метод\nс переводом\tи табуляцией",
    "a>b>c",
    "'); DROP TABLE Method; --",
    "😀 {id: 1}",
    "",
]


def nasty_tables() -> tuple[dict[str, list], list[str]]:
    """Rows whose names are pieces of statements, and the ids of those methods."""
    rows = tables()
    nasty = [f"{MANAGER}.{name}" for name in NASTY]
    rows["methods"] += [a_method(id_) for id_ in nasty]
    rows["objects"] += [an_object(f"Catalog.{name}") for name in NASTY if "." not in name]
    rows["calls"] += [a_call(ROUND, n, target) for n, target in enumerate(nasty)]
    rows["references"] += [
        a_reference(f"Catalog.{name}", f"Owner{name}", GOODS, "object", name) for name in NASTY
    ]
    return rows, nasty


DAMAGES = {
    "a deleted node": (
        f"MATCH (n:Method {{id: '{ROUND}'}}) DETACH DELETE n",
        {"Method": (1, 0, 0), "CONTAINS": (1, 0, 0), "CALLS": (3, 0, 0), "READS": (3, 0, 0)},
    ),
    "an edited node": (f"MATCH (n:Object {{id: '{GOODS}'}}) SET n.comment = 'x'", {"Object": (0, 1, 0)}),
    "an emptied property": (
        f"MATCH (n:Method {{id: '{ROUND}'}}) SET n.start_line = NULL",
        {"Method": (0, 1, 0)},
    ),
    "an extra node": ("CREATE (:Method {id: 'Чужой', configuration: 'склад'})", {"Method": (0, 0, 1)}),
    "a removed relationship": (
        f"MATCH (:Method {{id: '{RECOUNT}'}})-[r:CALLS]->() DELETE r",
        {"CALLS": (1, 0, 0)},
    ),
    "an edited relationship": (
        "MATCH (:Object)-[r:GRANTS]->() SET r.rights = ['Delete']",
        {"GRANTS": (0, 1, 0)},
    ),
    "an extra relationship": (
        f"MATCH (a:Method {{id: '{ROUND}'}}) MATCH (b:Method {{id: '{RECOUNT}'}}) "
        "CREATE (a)-[:CALLS {calls: 1}]->(b)",
        {"CALLS": (0, 0, 1)},
    ),
    "a doubled relationship": (
        f"MATCH (a:Method {{id: '{RECOUNT}'}}) MATCH (b:Method {{id: '{BALANCE}'}}) "
        "CREATE (a)-[:CALLS {calls: 2, line: 3}]->(b)",
        {"CALLS": (0, 1, 0)},
    ),
    "a relationship of a changed kind": (
        "MATCH ()-[r:HANDLES]->() WHERE r.kind = 'FormEvent' SET r.kind = 'Other'",
        {"HANDLES": (1, 0, 1)},
    ),
}
"""What somebody may do by hand, in either engine, and what its repair writes: (added, changed, removed)."""
