"""The tables of the sample sources, row by row, against files that were read by eye: comments, synonyms,
value types, directives, documentation, calls and queries are proved here, no count covers them.

After a wanted change: `python -m ai_stack_assets_tests.domain.onec.test_golden`, then review the difference.
"""

import json
import tempfile
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets.domain.onec.tables import JSON, TABLES

REPOSITORY = Path(__file__).parents[3]
FIXTURES = Path(__file__).parents[2] / "fixtures"
SOURCES = {
    "demo": REPOSITORY / "samples" / "demo",
    "extension": REPOSITORY / "samples" / "extension",
    "english": FIXTURES / "english",
}
LEFT_OUT = {"path", "size_bytes", "blob_hash", "body", "body_hash", "content_hash"}
"""Columns that differ between the layouts, or only repeat the source."""
REPEATED = {
    "objects": {"name"},
    "fields": {"name", "kind"},
    "references": {"kind", "source_id", "source_object_id", "target_id", "detail"},
    "modules": {"object_id"},
    "methods": {"name", "module_id", "object_id"},
    "calls": {"caller_id", "module_id"},
    "queries": {"place_id", "object_id"},
}
"""Columns that the id repeats."""


def tables(source: Path, work: Path) -> dict[str, list[dict]]:
    """All rows of all tables, by id: the lake has them in the order of folders, the layout's own."""
    report = extract("sample", str(source), Lake(work / "lake"), work / "cache", workers=1)
    return {name: report.version.table(name).sort_by("id").to_pylist() for name in TABLES}


def readable(rows: dict[str, list[dict]]) -> str:
    """One row per line; JSON columns opened; empty values left out."""
    lines = []
    for name, table in TABLES.items():
        opened = {column.name for column in table.columns if column.type == JSON}
        left_out = LEFT_OUT | REPEATED.get(name, set())
        lines.append(f' "{name}": [')
        for row in rows[name]:
            kept = {
                column: json.loads(value) if column in opened else value
                for column, value in row.items()
                if column not in left_out and value not in (None, "", "{}", "[]", False)
            }
            lines.append(f"  {json.dumps(kept, ensure_ascii=False)},")
        lines[-1] = lines[-1].removesuffix(",")
        lines.append(" ],")
    return "{\n" + "\n".join(lines).removesuffix(",") + "\n}\n"


def golden(name: str) -> Path:
    return FIXTURES / "golden" / f"{name}.json"


@pytest.mark.parametrize("layout", ["designer", "edt"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_sample_gives_the_reviewed_tables(name, layout, tmp_path):
    found = readable(tables(SOURCES[name] / layout, tmp_path)).splitlines()
    expected = golden(name).read_text(encoding="utf-8").splitlines()
    unexpected = [line for line in found if line not in set(expected)]
    missing = [line for line in expected if line not in set(found)]
    assert (unexpected[:5], missing[:5]) == ([], [])
    assert found == expected


if __name__ == "__main__":
    for sample, folder in SOURCES.items():
        with tempfile.TemporaryDirectory() as work:
            golden(sample).write_text(readable(tables(folder / "designer", Path(work))), encoding="utf-8")
