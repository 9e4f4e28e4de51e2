"""References: from the words of a source to ids of the configuration. See `resolution` for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ai_stack_assets.domain.bsl.query_resolution import VIRTUAL_TABLES
from ai_stack_assets.domain.bsl.symbols import loose_key
from ai_stack_assets.domain.onec.tables import ReferenceRow

if TYPE_CHECKING:
    from ai_stack_assets.domain.bsl.symbols import Symbols

UNRESOLVED = "unresolved"


class Target(NamedTuple):
    """What a reference points at. `property_name` and `part` name a part of it that the platform adds and
    that is no row of its own: a standard attribute, a standard command, a virtual table."""

    id: str
    kind: str
    property_name: str = ""
    part: str = ""


_NAMES = """
Ref Ссылка | Code Код | Description Наименование | Parent Родитель | Owner Владелец | DeletionMark
ПометкаУдаления | IsFolder ЭтоГруппа | Predefined Предопределенный | PredefinedDataName
ИмяПредопределенныхДанных | Date Дата | Number Номер | Posted Проведен | Period Период | Recorder
Регистратор | LineNumber НомерСтроки | Active Активность | RecordType ВидДвижения | Account Счет | Order
Порядок | OffBalance Забалансовый | Type Вид | ValueType ТипЗначения | ThisNode ЭтотУзел | SentNo
НомерОтправленного | ReceivedNo НомерПринятого | Completed Завершен | Started Стартован | HeadTask
ВедущаяЗадача | BusinessProcess БизнесПроцесс | RoutePoint ТочкаМаршрута | Executed Выполнена |
ActionPeriod ПериодДействия | BegOfActionPeriod ПериодДействияНачало | EndOfActionPeriod
ПериодДействияКонец | ActionPeriodIsBasic ПериодДействияБазовый | CalculationType ВидРасчета |
RegistrationPeriod ПериодРегистрации | BegOfBasePeriod БазовыйПериодНачало | EndOfBasePeriod
БазовыйПериодКонец | ReversingEntry Сторно | ExtDimension1 Субконто1 | ExtDimension2 Субконто2 |
ExtDimension3 Субконто3 | ExtDimensionType ВидСубконто | TurnoversOnly ТолькоОбороты | Presentation
Представление | DataVersion ВерсияДанных
"""
_STANDARD: dict[str, str] = {
    alias.lower(): names[0] for names in (group.split() for group in _NAMES.split("|")) for alias in names
}
"""Standard attribute in lower case, either language → English name. Sources rarely list them."""
_STANDARD_CLASSES = ("*", "attribute", "standardattribute")


def resolve_references(rows: Iterable[ReferenceRow], symbols: Symbols) -> list[ReferenceRow]:
    """Fill `target_id` and `target_kind`; `id` follows. What is not found keeps its words, as `unresolved`.

    A part that the platform adds resolves to what has it: the object or tabular section is the target, the
    part's English name goes to the properties (`standard_attribute`, `standard_command`, `virtual_table`)
    and to the end of the id.
    """
    known: dict[str, Target] = {}
    found = []
    for row in rows:
        target = known.get(row.target_id)
        if target is None:
            known[row.target_id] = target = _target(row.target_id, symbols)
        if target.id != row.target_id or target.kind != row.target_kind or target.part:
            row = _resolved(row, target)
        found.append(row)
    return found


def _resolved(row: ReferenceRow, target: Target) -> ReferenceRow:
    properties = row.properties
    words = [row.source_id, row.kind, target.id, row.detail, target.part]
    if target.part:
        merged = msgspec.json.decode(properties) | {target.property_name: target.part}
        properties = msgspec.json.encode(merged, order="sorted").decode()
    row_id = ">".join([*words[:3], *(word for word in words[3:] if word)])
    return row._replace(id=row_id, target_id=target.id, target_kind=target.kind, properties=properties)


def _target(words: str, symbols: Symbols) -> Target:
    low = words.lower()
    if found := symbols.objects.get(low):
        return Target(found, "object")
    if found := symbols.fields.get(low):
        return Target(found, "field")
    if found := symbols.methods.get(low):
        return Target(found, "method")
    parts = low.split(".")
    found = None
    if "*" in parts:
        found = _any_class(parts, symbols)
    return found or _added_by_platform(words, parts, symbols) or Target(words, UNRESOLVED)


def _any_class(parts: list[str], symbols: Symbols) -> Target | None:
    """`Document.Заказ.*.Печать`: a field, or an object of the object."""
    if found := symbols.loose_fields.get(loose_key(parts)):
        return Target(found, "field")
    for child in ("form", "command", "template"):
        if found := symbols.objects.get(".".join(child if part == "*" else part for part in parts)):
            return Target(found, "object")
    return None


def _added_by_platform(words: str, parts: list[str], symbols: Symbols) -> Target | None:
    """`Catalog.Валюты.*.Код`, `….StandardCommand.OpenList`, `InformationRegister.Курсы.SliceLast`."""
    if len(parts) == 3 and parts[2] in VIRTUAL_TABLES:
        owner, part = parts[:2], ("virtual_table", VIRTUAL_TABLES[parts[2]])
    elif len(parts) >= 4 and parts[-2] in _STANDARD_CLASSES and parts[-1] in _STANDARD:
        owner, part = parts[:-2], ("standard_attribute", _STANDARD[parts[-1]])
    elif len(parts) >= 4 and parts[-2] == "standardcommand":
        owner, part = parts[:-2], ("standard_command", words.rpartition(".")[2])
    else:
        return None
    key = ".".join(owner)
    if found := symbols.objects.get(key):
        return Target(found, "object", *part)
    found = symbols.fields.get(key) or symbols.loose_fields.get(loose_key(owner))
    return Target(found, "field", *part) if found else None
