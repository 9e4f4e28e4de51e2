"""A small configuration for the vector store's tests: rows by hand, versions by what differs from it."""

from __future__ import annotations

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.onec.tables import FieldRow, MethodRow, ModuleRow, ObjectRow

MAIL, RATES = "CommonModule.Почта.Module", "Catalog.Валюты.ManagerModule"
BODIES = {
    f"{MAIL}.ОтправитьПисьмо": "Связь = НовоеСоединениеПочты(); Связь.Отправить(Письмо, Получатели);",
    f"{MAIL}.ОтправитьПисьма": "Для Каждого Письмо Из Письма Цикл ОтправитьПисьмо(Письмо, Получатели);",
    f"{MAIL}.НовоеСоединениеПочты": "Возврат Новый ИнтернетПочта(УчетнаяЗапись);",
    f"{RATES}.КурсВалюты": "Запрос.Текст = КурсыВалют; Возврат Выборка.Курс / Выборка.Кратность;",
    f"{RATES}.ЗагрузитьКурсыВалют": "Для Каждого Курс Из Курсы Цикл ЗаписатьКурс(Валюта, Курс);",
}


def method(id_: str, body: str, *, start_line: int = 1) -> MethodRow:
    module_id, name = id_.rsplit(".", 1)
    whole = f"Процедура {name}() Экспорт\n\t{body}\nКонецПроцедуры"
    return MethodRow(
        id=id_, module_id=module_id, object_id=module_id.rsplit(".", 1)[0], name=name, kind="Procedure",
        is_export=module_id == MAIL, is_async=False, directive=None, annotations="[]", region="",
        signature=f"{name}()", parameters="[]", doc_comment="", doc="{}", start_line=start_line,
        end_line=start_line + 2, cyclomatic=1, cognitive=0, statements=1,
        body=whole, body_hash=text_hash(whole),
    )  # fmt: skip


def lake_version(
    lake: Lake, configuration: str, version_id: str, bodies: dict[str, str] = BODIES, line: int = 1
) -> Version:
    """Two objects with their modules, and these methods."""

    def an_object(kind: str, name: str, synonym: str) -> ObjectRow:
        text = f'{{"ru":"{synonym}"}}'
        return ObjectRow(f"{kind}.{name}", kind, name, "", text, "", None, "own", "{}", f"{name}.xml")

    def a_module(kind: str, id_: str) -> ModuleRow:
        flags = [None] * 8
        owner = id_.rsplit(".", 1)[0]
        return ModuleRow(id_, kind, owner, f"{owner}.bsl", "parsed", 1, 1, *flags, "[]", "[]", text_hash(id_))

    def a_field(name: str, position: int) -> FieldRow:
        id_ = f"Catalog.Валюты.Attribute.{name}"
        return FieldRow(
            id_, "Attribute", name, "", "Catalog.Валюты", None, position, "{}", "", "[]", "", "own", "{}"
        )

    tables = {
        "objects": [
            an_object("Catalog", "Валюты", "Валюты"),
            an_object("CommonModule", "Почта", "Работа с почтой"),
        ],
        "fields": [a_field("Наценка", 0), a_field("ОсновнаяВалюта", 1)],
        "modules": [a_module("ManagerModule", RATES), a_module("CommonModule", MAIL)],
        "methods": [method(id_, body, start_line=line) for id_, body in sorted(bodies.items())],
    }
    return write_version(lake, configuration, tables, version_id)
