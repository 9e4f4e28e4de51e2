"""Versions of the lake: whole or not at all, equal for equal input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import KEPT_VERSIONS, Lake, write_version
from ai_stack_assets.domain.onec.tables import TABLES, ObjectRow


def an_object(name: str) -> ObjectRow:
    return ObjectRow(
        f"Catalog.{name}", "Catalog", name, "", "{}", "", None, "own", "{}", f"Catalogs/{name}.xml"
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_a_published_version_is_current_and_has_its_rows(lake):
    version = write_version(lake, "demo", {"objects": [an_object("А"), an_object("Б")]}, "v1")
    assert lake.current("demo") == version
    assert version.rows("objects") == 2
    assert version.table("objects", ["id"])["id"].to_pylist() == ["Catalog.А", "Catalog.Б"]


def test_a_table_without_rows_has_its_schema(lake):
    version = write_version(lake, "demo", {"objects": []}, "v1")
    assert version.table("calls").schema.names == TABLES["calls"].column_names


def test_columns_carry_their_descriptions(lake):
    version = write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    assert b"Full name" in version.table("objects").schema.field("id").metadata[b"description"]


def test_equal_rows_make_equal_bytes(lake, tmp_path):
    parts = []
    for name in ("one", "two"):
        version = write_version(Lake(tmp_path / name), "demo", {"objects": [an_object("А")]}, "v1")
        parts.append(version.parts("objects")[0].read_bytes())
    assert parts[0] == parts[1]


def test_the_hash_changes_with_any_column_and_only_then(lake):
    first, same, other = an_object("А"), an_object("А"), an_object("А")._replace(comment="new")
    table = write_version(lake, "demo", {"objects": [first, same, other]}, "v1").table("objects")
    hashes = table["content_hash"].to_pylist()
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_failed_draft_leaves_no_trace(lake):
    write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    with pytest.raises(RuntimeError), lake.draft("demo") as draft:
        (draft / "objects").mkdir()
        raise RuntimeError
    assert lake.current("demo").id == "v1"
    assert [p.name for p in lake.folder("demo").iterdir() if p.name.startswith(".draft")] == []


def test_a_kill_while_writing_leaves_the_version_before(lake, tmp_path):
    write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    code = f"""
import os
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake
with Lake(Path({str(tmp_path)!r})).draft("demo") as draft:
    (draft / "objects").mkdir()
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 9
    assert lake.current("demo").id == "v1"
    assert lake.configurations() == ["demo"]
    write_version(lake, "demo", {"objects": [an_object("Б")]}, "v2")
    assert not list(lake.folder("demo").glob(".draft*"))


def test_only_the_newest_versions_are_kept(lake):
    for number in range(KEPT_VERSIONS + 2):
        write_version(lake, "demo", {"objects": [an_object(str(number))]}, f"v{number}")
    kept = {p.name for p in lake.folder("demo").iterdir() if p.is_dir() and not p.is_symlink()}
    assert kept == {f"v{n}" for n in range(2, KEPT_VERSIONS + 2)}


def test_a_configuration_that_was_never_extracted_is_named(lake):
    with pytest.raises(PermanentError, match="'nowhere' is not in the lake"):
        lake.require("nowhere")
