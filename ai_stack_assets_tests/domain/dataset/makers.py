"""Records and versions for the tests of merging, filtering and redacting: small, and written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import records, stage

WEEK = "2026-11-15"

GOOD = """Функция СуммаСоСкидкой(Знач Сумма, Знач Скидка) Экспорт
	Если Скидка > 100 Тогда
		ВызватьИсключение НСтр("ru = 'Скидка больше ста процентов.'");
	КонецЕсли;
	// Округление до копеек.
	Возврат Окр(Сумма * (100 - Скидка) / 100, 2);
КонецФункции"""


def a_record(code: str = GOOD, **values: Any) -> dict[str, Any]:
    given = {
        "source": records.GITHUB,
        "repository": "owner/one",
        "path": "src/Module.bsl",
        "method_name": "Метод",
    }
    return records.record(**{**given, "is_publishable": True, "licence": "MIT", "code": code, **values})


def a_version(folder: Path, rows: list[dict[str, Any]], name: str = "input") -> Version:
    def write(parts: stage.Parts) -> dict[str, Any]:
        parts.write("records", records.schema().empty_table())
        parts.write("records", pa.Table.from_pylist(rows, records.schema()))
        return {}

    return stage.build(Lake(folder / name), WEEK, "given", write)[0]


def rows_of(version: Version, table: str = "records") -> list[dict[str, Any]]:
    return [row for batch in version.batches(table) for row in batch.to_pylist()]
