"""References: from the words of a source to ids of the configuration. See `resolution` for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.bsl.symbols import loose_key
from ai_stack_assets.domain.onec.tables import ReferenceRow

if TYPE_CHECKING:
    from ai_stack_assets.domain.bsl.symbols import Symbols

UNRESOLVED = "unresolved"
Target = tuple[str, str, str]
"""`target_id`, `target_kind`, and the name of a standard attribute that is no row of its own, or empty."""

_STANDARD = {
    alias.lower(): names[0]
    for line in """
    Ref Ссылка | Code Код | Description Наименование | Parent Родитель | Owner Владелец | DeletionMark ПометкаУдаления
    IsFolder ЭтоГруппа | Predefined Предопределенный | PredefinedDataName ИмяПредопределенныхДанных | Date Дата
    Number Номер | Posted Проведен | Period Период | Recorder Регистратор | LineNumber НомерСтроки | Active Активность
    RecordType ВидДвижения | Account Счет | Order Порядок | OffBalance Забалансовый | Type Вид | ValueType ТипЗначения
    ThisNode ЭтотУзел | SentNo НомерОтправленного | ReceivedNo НомерПринятого | Completed Завершен | Started Стартован
    HeadTask ВедущаяЗадача | BusinessProcess БизнесПроцесс | RoutePoint ТочкаМаршрута | Executed Выполнена
    ActionPeriod ПериодДействия | BegOfActionPeriod ПериодДействияНачало | EndOfActionPeriod ПериодДействияКонец
    ActionPeriodIsBasic ПериодДействияБазовый | CalculationType ВидРасчета | RegistrationPeriod ПериодРегистрации
    BegOfBasePeriod БазовыйПериодНачало | EndOfBasePeriod БазовыйПериодКонец | ReversingEntry Сторно
    ExtDimension1 Субконто1 | ExtDimension2 Субконто2 | ExtDimension3 Субконто3 | ExtDimensionType ВидСубконто
    TurnoversOnly ТолькоОбороты | PresentationDate | Presentation Представление | DataVersion ВерсияДанных
    """.replace("\n", "|").split("|")
    if (names := line.split())
    for alias in names
}
"""Standard attribute in lower case, either language → English name. The platform adds them; sources rarely list them."""


def resolve_references(rows: Iterable[ReferenceRow], symbols: Symbols) -> list[ReferenceRow]:
    """Fill `target_id` and `target_kind`; `id` follows. A standard attribute resolves to what has it, its English name in
    `properties.standard_attribute` and at the end of the id. What is not found keeps its words, as `unresolved`."""
    known: dict[str, Target] = {}
    found = []
    for row in rows:
        target = known.get(row.target_id)
        if target is None:
            known[row.target_id] = target = _target(row.target_id, symbols)
        target_id, kind, attribute = target
        if target_id != row.target_id or kind != row.target_kind or attribute:
            row = _resolved(row, target_id, kind, attribute)
        found.append(row)
    return found


def _resolved(row: ReferenceRow, target_id: str, kind: str, attribute: str) -> ReferenceRow:
    row_id = f"{row.source_id}>{row.kind}>{target_id}"
    properties = row.properties
    if row.detail:
        row_id += f">{row.detail}"
    if attribute:
        row_id += f">{attribute}"
        merged = msgspec.json.decode(properties) | {"standard_attribute": attribute}
        properties = msgspec.json.encode(merged, order="sorted").decode()
    return row._replace(id=row_id, target_id=target_id, target_kind=kind, properties=properties)


def _target(words: str, symbols: Symbols) -> Target:
    low = words.lower()
    if found := symbols.objects.get(low):
        return found, "object", ""
    if found := symbols.fields.get(low):
        return found, "field", ""
    if found := symbols.methods.get(low):
        return found, "method", ""
    parts = low.split(".")
    if "*" in parts:
        if found := symbols.loose_fields.get(loose_key(parts)):
            return found, "field", ""
        if (nested := _nested(parts, symbols)) is not None:
            return nested
    if len(parts) >= 4 and parts[-2] in ("*", "attribute", "standardattribute") and parts[-1] in _STANDARD:
        return _standard_attribute(words, parts, symbols)
    return words, UNRESOLVED, ""


def _standard_attribute(words: str, parts: list[str], symbols: Symbols) -> Target:
    owner = ".".join(parts[:-2])
    attribute = _STANDARD[parts[-1]]
    if found := symbols.objects.get(owner):
        return found, "object", attribute
    if found := symbols.fields.get(owner) or symbols.loose_fields.get(loose_key(parts[:-2])):
        return found, "field", attribute
    return words, UNRESOLVED, ""


def _nested(parts: list[str], symbols: Symbols) -> Target | None:
    """`Document.Заказ.*.Печать` may also be an object: a form, a command, a template."""
    for child in ("form", "command", "template"):
        if found := symbols.objects.get(".".join(child if part == "*" else part for part in parts)):
            return found, "object", ""
    return None
