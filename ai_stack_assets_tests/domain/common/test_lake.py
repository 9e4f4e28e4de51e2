"""Versions of the lake: whole or not at all, equal for equal input; the same in a folder and in a bucket."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ai_stack_assets.domain.common import lake as module
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import KEPT_VERSIONS, Lake, write_version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake
from ai_stack_assets.domain.onec.tables import TABLES, ObjectRow


def an_object(name: str) -> ObjectRow:
    return ObjectRow(
        f"Catalog.{name}", "Catalog", name, "", "{}", "", None, "own", "{}", f"Catalogs/{name}.xml"
    )


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "folder":
        return Lake(tmp_path)
    return SharedLake(tmp_path, Bucket(request.getfixturevalue("bucket_url")), grace=timedelta(0))


def again(lake: Lake) -> Lake:
    """As another process would open it."""
    if isinstance(lake, SharedLake):
        return SharedLake(lake.root, lake.bucket, grace=lake.grace)
    return Lake(lake.root)


def test_what_a_power_cut_must_not_take_is_brought_to_the_disk(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(module, "to_disk", lambda path: seen.append((path.name, path.exists())))
    write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    in_bucket = isinstance(lake, SharedLake)  # which says itself what is current
    assert seen == [("version.json", True), (".draft", True), *([] if in_bucket else [("demo", True)])]
    again(lake).require("demo")


OPEN_AGAIN = """
from datetime import timedelta
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake, write_version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake
lake = {}
"""


def in_another_process(lake: Lake, code: str) -> int:
    if isinstance(lake, SharedLake):
        opened = f"SharedLake(Path({str(lake.root)!r}), Bucket({lake.bucket.url!r}), grace=timedelta(0))"
    else:
        opened = f"Lake(Path({str(lake.root)!r}))"
    return subprocess.run(
        [sys.executable, "-c", OPEN_AGAIN.format(opened) + code], check=False, env=os.environ
    ).returncode


def names(version) -> list[str]:
    return version.table("objects", ["id"])["id"].to_pylist()


def test_a_published_version_is_current_and_has_its_rows(lake):
    version = write_version(lake, "demo", {"objects": [an_object("А"), an_object("Б")]}, "v1")
    assert lake.current("demo") == version
    assert version.rows("objects") == 2
    assert names(version) == ["Catalog.А", "Catalog.Б"]
    assert names(again(lake).require("demo")) == ["Catalog.А", "Catalog.Б"]


def test_a_table_is_read_batch_by_batch(lake):
    rows = [an_object(str(number)) for number in range(10)]
    write_version(lake, "demo", {"objects": rows}, "v1")
    batches = list(again(lake).require("demo").batches("objects", ["id"], rows=4))
    assert [batch.num_rows for batch in batches] == [4, 4, 2]


def test_a_table_without_rows_has_its_schema(lake):
    version = write_version(lake, "demo", {"objects": []}, "v1")
    assert version.table("calls").schema.names == TABLES["calls"].column_names


def test_columns_carry_their_descriptions(lake):
    version = write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    assert b"Full name" in version.table("objects").schema.field("id").metadata[b"description"]


def test_equal_rows_make_equal_bytes(lake, tmp_path):
    parts = []
    for name in ("one", "two"):
        version = write_version(lake, name, {"objects": [an_object("А")]}, "v1")
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


def test_a_kill_while_writing_leaves_the_version_before(lake):
    write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    code = """
import os
with lake.draft("demo") as draft:
    (draft / "objects").mkdir()
    os._exit(9)
"""
    assert in_another_process(lake, code) == 9
    assert lake.current("demo").id == "v1"
    assert lake.configurations() == ["demo"]
    write_version(lake, "demo", {"objects": [an_object("Б")]}, "v2")
    assert not list(lake.folder("demo").glob(".draft*"))


def test_only_the_newest_versions_are_kept(lake):
    for number in range(KEPT_VERSIONS + 2):
        write_version(lake, "demo", {"objects": [an_object(str(number))]}, f"v{number}")
    kept = [f"v{n}" for n in reversed(range(2, KEPT_VERSIONS + 2))]
    assert [version.id for version in lake.versions("demo")] == kept
    assert [names(version) for version in again(lake).versions("demo")] == [
        [f"Catalog.{v[1:]}"] for v in kept
    ]


def test_a_version_of_before_can_be_made_current_again(lake):
    for number in (1, 2):
        write_version(lake, "demo", {"objects": [an_object(str(number))]}, f"v{number}")
    lake.switch(lake.versions("demo")[1])
    assert names(again(lake).require("demo")) == ["Catalog.1"]
    assert [version.id for version in lake.versions("demo")] == ["v1", "v2"]


def test_a_version_that_is_pinned_outlives_those_published_before_it_was(lake):
    for number in range(KEPT_VERSIONS):
        write_version(lake, "demo", {"objects": [an_object(str(number))]}, f"v{number}")
    lake.switch(lake.versions("demo")[-1])
    write_version(lake, "demo", {"objects": [an_object("new")]}, "new")
    assert [version.id for version in lake.versions("demo")][:2] == ["new", "v0"]


def test_the_same_version_again_changes_only_where_it_came_from(lake):
    tables = {"objects": [an_object("А")]}
    write_version(lake, "demo", tables, "v1", source={"commit": "a"})
    write_version(lake, "demo", tables, "v1", source={"commit": "b"})
    [version] = again(lake).versions("demo")
    assert version.manifest["source"] == {"commit": "b"}
    assert names(version) == ["Catalog.А"]


def test_a_part_is_taken_over_without_being_read(lake):
    before = write_version(lake, "demo", {"objects": [an_object("А")]}, "v1")
    with lake.draft("demo") as draft:
        before.take_over("objects/0000.parquet", draft)
        lake.publish("demo", draft, "v2", {**before.manifest, "source": "next"})
    assert names(again(lake).require("demo")) == ["Catalog.А"]
    assert before.path.exists()


def test_a_version_that_lost_a_part_is_not_intact_and_can_be_made_whole(lake):
    tables = {"objects": [an_object("А")], "modules": []}
    version = write_version(lake, "demo", tables, "v1")
    assert lake.intact("demo") == version
    if isinstance(lake, SharedLake):
        lake.bucket.delete([o.key for o in lake.bucket.list("parts") if o.key.endswith(".parquet")])
    else:
        version.parts("objects")[0].write_bytes(b"")
    assert again(lake).intact("demo") is None
    write_version(again(lake), "demo", tables, "v1")
    assert again(lake).intact("demo") == version
    assert names(again(lake).require("demo")) == ["Catalog.А"]


def test_a_removed_configuration_is_gone_and_others_stay(lake):
    for name in ("demo", "Торговля и склад"):
        write_version(lake, name, {"objects": [an_object("А")]}, "v1")
    lake.remove("demo")
    assert again(lake).configurations() == ["Торговля и склад"]
    assert lake.current("demo") is None


def test_a_configuration_that_was_never_extracted_is_named(lake):
    with pytest.raises(PermanentError, match="'nowhere' is not in the lake"):
        lake.require("nowhere")
