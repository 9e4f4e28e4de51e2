"""A small configuration with rows in all lake tables, for the stores of tables and of texts."""

from __future__ import annotations

import json

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.onec import tables as t

ROOT, RATES, COMMON = "Configuration.Демо", "Catalog.Валюты", "CommonModule.ОбщегоНазначения"
MODULE = f"{COMMON}.Module"
VALUE, CALLER = f"{MODULE}.ЗначениеРеквизитаОбъекта", f"{MODULE}.КурсВалюты"

Tables = dict[str, list]


def an_object(id_: str, owner: str | None = ROOT, synonym: str = "", comment: str = "") -> t.ObjectRow:
    kind, name = id_.split(".")[-2:]
    text = json.dumps({"ru": synonym} if synonym else {}, ensure_ascii=False)
    return t.ObjectRow(id_, kind, name, "", text, comment, owner, "own", "{}", f"{name}.xml")


def a_method(id_: str, body: str, doc: str = "", line: int = 1) -> t.MethodRow:
    module_id, _, name = id_.rpartition(".")
    whole = f"Функция {name}(А) Экспорт\n\t{body}\nКонецФункции"
    return t.MethodRow(
        id=id_, module_id=module_id, object_id=module_id.rpartition(".")[0], name=name, kind="Function",
        is_export=True, is_async=False, directive=None, annotations="[]", region="ПрограммныйИнтерфейс",
        signature=f"{name}(А)", parameters='[{"default":null,"is_by_value":false,"name":"А"}]',
        doc_comment=doc, doc="{}", start_line=line, end_line=line + 2, cyclomatic=1, cognitive=0,
        statements=1,
        body=whole, body_hash=text_hash(whole),
    )  # fmt: skip


def rows() -> Tables:
    """Fresh lists each time, to be changed by a test."""
    flags = [True, False, False, False, False, False, False, "DontUse"]
    return {
        "objects": [
            an_object(RATES, synonym="Иностранные валюты", comment="справочник денег"),
            an_object(f"{RATES}.Form.ФормаСписка", RATES, "Список валют"),
            an_object(COMMON, synonym="Общего назначения"),
            an_object(ROOT, None),
        ],
        "fields": [
            t.FieldRow(
                f"{RATES}.Attribute.{name}", "Attribute", name, "", RATES, None, i,
                "{}", "", '[{"type":"String"}]', "", "own", "{}",
            )
            for i, name in enumerate(("Код", "Курс"))
        ],
        "references": [
            t.ReferenceRow(
                "r1", "FieldType", f"{RATES}.Attribute.Курс", RATES, "Число", "unresolved", "", "{}"
            )
        ],
        "modules": [
            t.ModuleRow(
                MODULE, "CommonModule", COMMON, "m.bsl", "parsed", 10, 3, *flags, "[]", "[]", text_hash("m")
            )
        ],
        "methods": [
            a_method(VALUE, "Возврат Ссылка[А]; // валюта договора", "Читает значение реквизита из базы."),
            a_method(CALLER, "Возврат ЗначениеРеквизитаОбъекта(А);", line=10),
        ],
        "calls": [
            t.CallRow(f"{CALLER}#1", CALLER, MODULE, None, "ЗначениеРеквизитаОбъекта", 11, "local", VALUE)
        ],
        "queries": [
            t.QueryRow(
                f"{CALLER}#query1", "module", CALLER, COMMON, 11, "ВЫБРАТЬ 1", False, "[]", "[]", "[]", "[]"
            )
        ],
        "rejected": [t.RejectedRow("a.xml#broken_xml", "a.xml", "broken_xml", "текст", None, None, True)],
    }  # fmt: skip


def version(
    lake: Lake, version_id: str, tables: Tables | None = None, configuration: str = "demo"
) -> Version:
    tables = rows() if tables is None else tables
    return write_version(lake, configuration, {k: sorted(v) for k, v in tables.items()}, version_id)
