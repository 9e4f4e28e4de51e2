"""Tables of queries: from names in the query language, Russian or English, to ids. See `resolution`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.onec.kinds import QUERY_SOURCES

if TYPE_CHECKING:
    from ai_stack_assets.domain.bsl.facts import QueryFacts
    from ai_stack_assets.domain.bsl.symbols import Symbols

Table = tuple[str | None, str | None, str | None]
"""`object_id`, `field_id` of a tabular section, `virtual_table` in English."""

_VIRTUAL = """
SliceFirst СрезПервых | SliceLast СрезПоследних | Balance Остатки | Turnovers Обороты |
BalanceAndTurnovers ОстаткиИОбороты | DrCrTurnovers ОборотыДтКт | ExtDimensions Субконто |
RecordsWithExtDimensions ДвиженияССубконто | ScheduleData ДанныеГрафика | ActualActionPeriod
ФактическийПериодДействия | Boundaries Границы | TasksByExecutive TasksByPerformer ЗадачиПоИсполнителю |
Points Точки | Changes Изменения | ExtDimensionTypes ВидыСубконто | BaseCalculationTypes
БазовыеВидыРасчета | LeadingCalculationTypes ВедущиеВидыРасчета | DisplacingCalculationTypes
ВытесняющиеВидыРасчета
"""
VIRTUAL_TABLES: dict[str, str] = {
    alias.lower(): names[0] for names in (group.split() for group in _VIRTUAL.split("|")) for alias in names
}
"""Tables that the platform derives from an object, lower case, either language → English name."""

_PARTS = {"таблица": "Table", "table": "Table", "куб": "Cube", "cube": "Cube"}
_UNKNOWN: Table = (None, None, None)
_encode = msgspec.json.Encoder(order="sorted").encode


def resolve_query_tables(facts: QueryFacts, symbols: Symbols) -> str:
    """JSON for `queries.tables`."""
    tables = []
    for table in facts.tables:
        object_id, field_id, virtual = _table(table.name, symbols)
        tables.append(
            {
                "name": table.name,
                "object_id": object_id,
                "field_id": field_id,
                "virtual_table": virtual,
                "alias": table.alias,
            }
        )
    return _encode(tables).decode() if tables else "[]"


def _table(name: str, symbols: Symbols) -> Table:
    """Unknown for temporary tables, parameters and what is put together at run time."""
    head, *rest = name.lower().split(".")
    kind = QUERY_SOURCES.get(head)
    if kind is None or not rest:
        return _UNKNOWN
    object_key, rest = f"{kind.name.lower()}.{rest[0]}", rest[1:]
    if kind.name == "ExternalDataSource" and len(rest) > 1:
        object_key, rest = f"{object_key}.{_PARTS.get(rest[0], '').lower()}.{rest[1]}", rest[2:]
    object_id = symbols.objects.get(object_key)
    if object_id is None:
        return None, None, VIRTUAL_TABLES.get(rest[0]) if len(rest) == 1 else None
    if not rest:
        return object_id, None, None
    field_id = symbols.fields.get(f"{object_key}.tabularsection.{rest[0]}")
    if field_id:
        return object_id, field_id, VIRTUAL_TABLES.get(rest[-1]) if len(rest) > 1 else None
    recalculation = symbols.objects.get(f"{object_key}.recalculation.{rest[0]}")
    if recalculation:
        return recalculation, None, None
    return object_id, None, VIRTUAL_TABLES.get(rest[0])
