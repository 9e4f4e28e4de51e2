"""The same configuration gives the same rows, be it a Designer dump or an EDT project."""

from pathlib import Path

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.assembly import assemble
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.onec.layout import Root, discover, list_files
from ai_stack_assets.domain.onec.reader import parse_file
from ai_stack_assets.domain.onec.tables import TABLES

REPOSITORY = Path(__file__).parents[3]
CONFIGURATIONS = {
    "demo": REPOSITORY / "samples" / "demo",
    "extension": REPOSITORY / "samples" / "extension",
    "english": Path(__file__).parents[2] / "fixtures" / "english",
}
EXTERNAL = REPOSITORY / "samples" / "external"
OF_THE_LAYOUT = {"path", "size_bytes", "blob_hash", "content_hash"}
"""Files lie elsewhere, and a Designer's module has a BOM and other line ends."""


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def twins(request, tmp_path_factory) -> dict[str, dict[str, dict[str, dict]]]:
    """By layout and table: rows by id, without what is the layout's own."""
    work = tmp_path_factory.mktemp(request.param)
    lake = Lake(work / "lake")
    found = {}
    for layout in ("designer", "edt"):
        source = CONFIGURATIONS[request.param] / layout
        version = extract(layout, str(source), lake, work / "cache", workers=1).version
        found[layout] = {name: _by_id(version.table(name).to_pylist()) for name in TABLES}
    return found


def _by_id(rows: list[dict]) -> dict[str, dict]:
    return {
        row["id"]: {name: value for name, value in row.items() if name not in OF_THE_LAYOUT} for row in rows
    }


@pytest.mark.parametrize("table", TABLES)
def test_both_layouts_give_equal_rows(twins, table):
    designer, edt = twins["designer"][table], twins["edt"][table]
    differing = {row_id: (row, edt.get(row_id)) for row_id, row in designer.items() if row != edt.get(row_id)}
    assert differing == {}
    assert set(edt) == set(designer)


def test_nothing_of_the_samples_is_rejected(twins):
    assert twins["designer"]["rejected"] == twins["edt"]["rejected"] == {}


def test_an_external_processor_and_a_report_are_equal_in_both_layouts():
    designer, edt = ([_rows(root) for root in discover(EXTERNAL / layout)] for layout in ("designer", "edt"))
    assert designer == edt
    assert [rows["objects"][0]["id"] for rows in designer] == [
        "ExternalDataProcessor.ПроверкаЦен",
        "ExternalReport.АнализСкидок",
    ]
    assert all(rows["objects"] and rows["fields"] and rows["modules"] for rows in designer)


def _rows(root: Root) -> dict[str, list[dict]]:
    files, rejected = list_files(root)
    assert rejected == []
    facts = {
        file.path: None
        if file.role == "module"
        else parse_file(root.layout, file.role, (root.path / file.path).read_bytes())
        for file in files
    }
    group = assemble(root, files[0].group, facts)
    found = {}
    for table in ("objects", "fields", "references", "modules", "queries", "rejected"):
        rows = [row._asdict() for row in getattr(group, table)]
        found[table] = [{name: row[name] for name in row if name not in OF_THE_LAYOUT} for row in rows]
    return found
