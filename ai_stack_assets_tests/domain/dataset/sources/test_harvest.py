"""Tables and reports of a source."""

from ai_stack_assets.domain.dataset.records import record, schema
from ai_stack_assets.domain.dataset.sources.harvest import BATCH_ROWS, Report, as_tables


def test_records_come_in_bounded_tables_of_the_schema_and_nothing_is_lost():
    report = Report()
    rows = [
        record(source="its", repository="r", path="p", start_line=n, code=f"А = {n};")
        for n in range(BATCH_ROWS + 1)
    ]
    tables = list(as_tables(iter(rows), report))
    assert [table.num_rows for table in tables] == [BATCH_ROWS, 1]
    assert all(table.schema.equals(schema()) for table in tables)
    assert [row for table in tables for row in table.to_pylist()] == rows
    assert report.statistics["records"] == len(rows)


def test_no_record_makes_no_table():
    assert list(as_tables([], Report())) == []


def test_what_could_not_be_used_is_a_row_each_in_order():
    report = Report()
    assert report.rejected_table().column_names == ["place", "reason", "detail"]
    report.reject("b", "too_large", "x" * 1000)
    report.reject("a", "link", "")
    assert report.rejected_table()["place"].to_pylist() == ["a", "b"]
    assert len(report.rejected_table()["detail"][1].as_py()) == 500
    assert report.statistics["rejected"] == {"too_large": 1, "link": 1}
