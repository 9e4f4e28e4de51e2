"""Features are functions of one record, the same at training and at inference."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.features import compute, definitions
from ai_stack_assets_tests.domain.training.makers import a_record, a_table

CODE = """Функция КурсНаДату(Знач Валюта, Дата = Неопределено) Экспорт
	// Старое: Результат = 1;
	Для Каждого Строка Из Валюта.Курсы Цикл
		Если Строка.Дата <= Дата И Строка.Курс > 0 Тогда
			Возврат ОбщегоНазначения.Округлить(Строка.Курс);
		КонецЕсли;
	КонецЦикла;
	Запрос = Новый Запрос("ВЫБРАТЬ Курсы.Курс ИЗ РегистрСведений.Курсы КАК Курсы");
	Возврат КурсНаДату(Валюта);
КонецФункции"""


def row_of(**values: object) -> dict:
    record = a_record("КурсНаДату", "CommonModule.РаботаСКурсамиКлиентСервер", **{"code": CODE, **values})
    return compute.compute(a_table([record])).to_pylist()[0]


def test_a_row_has_the_measures_of_its_code():
    row = row_of()

    assert {
        name: row[name] for name in ("parameter_count", "optional_parameter_count", "is_function", "lines")
    } == {
        "parameter_count": 2,
        "optional_parameter_count": 1,
        "is_function": True,
        "lines": 10,
    }
    # the loop, the condition, И, the call of itself
    assert row["cyclomatic"] == 5
    assert (row["nesting"], row["calls"], row["receivers"], row["queries"]) == (2, 2, 1, 1)
    assert 0 < row["comment_share"] < 0.2


def test_terms_are_stems_in_order_without_lines_of_comment():
    row = row_of(doc_comment="Возвращает курсы валют.")

    assert row["name_terms"] == ["курснадат", "курс", "на", "дат"]
    assert row["parameter_terms"] == ["валют", "дат"]
    assert row["doc_terms"] == ["возвраща", "курс", "валют"]
    assert row["code_terms"][:2] == ["функц", "курснадат"]
    assert "стар" not in row["code_terms"]


def test_module_and_family_are_those_of_the_object():
    row = row_of()

    assert (row["module"], row["family"]) == (
        "CommonModule.РаботаСКурсамиКлиентСервер.CommonModule",
        "работаскурсами",
    )


def test_code_of_no_configuration_has_its_file_as_module():
    row = row_of(object="", module_type="", repository="owner/one", path="src/КурсыСервер.bsl")

    assert (row["module"], row["family"]) == ("owner/one/src/КурсыСервер.bsl", "owner/one/курсы")


def test_a_row_does_not_depend_on_the_rows_around_it():
    rows = [a_record(f"Метод{n}", "Catalog.Валюты", "\tА = 1;" * n) for n in range(20)]

    together = compute.compute(a_table(rows))

    assert together.slice(7, 1).equals(compute.compute(a_table(rows[7:8])))
    assert compute.compute(a_table(rows[::-1])).to_pylist() == together.to_pylist()[::-1]


def test_a_method_at_hand_has_the_features_of_its_record():
    signature = "Функция КурсНаДату(Знач Валюта, Дата = Неопределено) Экспорт"
    record = a_record("КурсНаДату", code=CODE, is_export=True, signature=signature)
    at_training = compute.compute(a_table([record])).to_pylist()[0]

    asked = {name: record[name] for name in ("code", "object", "module_type")}
    at_inference = compute.of_methods([asked]).to_pylist()[0]

    names = ["content_hash", "method_name", "signature", "is_export", "module", "family"]
    names += definitions.names(definitions.TERMS, definitions.NUMBER)
    assert {n: at_inference[n] for n in names} == {n: at_training[n] for n in names}
    assert at_inference["id"]


@pytest.mark.parametrize(
    "code", ["", "А = 1;", "Процедура", "\x00\x00", "Функция А(\nКонецФункции", "(" * 5000, "Ё" * 100_000]
)
def test_what_is_no_method_has_features_too(code: str):
    row = compute.of_methods([{"code": code}]).to_pylist()[0]

    assert row["cyclomatic"] >= 1
    assert row["nesting"] == 0


def test_records_without_code_are_refused():
    with pytest.raises(PermanentError, match=r"without a column `code`.*columns: id"):
        compute.compute(pa.table({"id": ["1"]}))
    with pytest.raises(PermanentError, match="`code` is null"):
        compute.compute(pa.table({"code": pa.array([None], pa.string())}))
    with pytest.raises(PermanentError, match="column `tokens` of the records is string, not int32"):
        compute.compute(pa.table({"code": ["А = 1;"], "tokens": ["many"]}))


def test_no_rows_give_an_empty_table_of_the_schema():
    assert compute.compute(a_table([])).schema == definitions.schema()
    assert compute.of_methods([]).num_rows == 0


def test_what_is_known_before_the_code_is_written_comes_from_header_and_comment_alone():
    known = definitions.names(definitions.TERMS, definitions.NUMBER, is_from_body=False)
    header = "Функция КурсНаДату(Знач Валюта, Дата = Неопределено) Экспорт\nКонецФункции"

    assert {n: row_of()[n] for n in known} == {n: row_of(code=header)[n] for n in known}
    assert "cyclomatic" not in known
