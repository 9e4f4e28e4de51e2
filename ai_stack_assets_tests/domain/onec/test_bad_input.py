"""Bad input: one broken file is one rejected row with its reason, and all else is read as if it were not there."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract

SAMPLE = Path(__file__).parents[3] / "samples" / "demo" / "designer"


@pytest.fixture
def source(tmp_path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "source"))


@pytest.fixture
def run(source, tmp_path) -> Callable:
    return lambda: extract("demo", str(source), Lake(tmp_path / "lake"), tmp_path / "cache", workers=1)


def rejected(report) -> dict[str, dict]:
    return {row["path"].rpartition("/")[2]: row for row in report.version.table("rejected").to_pylist()}


def a_catalog(source: Path) -> Path:
    return sorted(source.glob("Catalogs/*.xml"))[0]


def a_module(source: Path) -> Path:
    return sorted(source.glob("CommonModules/*/Ext/Module.bsl"))[0]


def object_id(file: Path) -> str:
    return f"Catalog.{file.stem}"


def ids(report, table: str) -> set[str]:
    return set(report.version.table(table, ["id"])["id"].to_pylist())


# ---- sources that are none


def test_a_folder_without_a_configuration_says_what_was_looked_for(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print()")
    with pytest.raises(PermanentError, match=r"no 1C source.*Configuration\.xml"):
        extract("demo", str(tmp_path / "src"), Lake(tmp_path / "lake"), tmp_path / "cache")


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PermanentError, match="empty"):
        extract("demo", str(tmp_path / "empty"), Lake(tmp_path / "lake"), tmp_path / "cache")


def test_nothing_is_published_when_the_source_is_gone(source, run):
    first = run().version
    shutil.rmtree(source)
    with pytest.raises(PermanentError):
        run()
    assert Lake(first.path.parents[1]).current("demo") == first


# ---- XML


def test_a_broken_xml_is_one_rejected_row_with_its_position(source, run):
    file = a_catalog(source)
    file.write_bytes(file.read_bytes()[:-40])
    report = run()
    row = rejected(report)[file.name]
    assert row["reason"] == "broken_xml"
    assert row["line"] > 1
    assert row["is_lost"]
    assert report.tables["objects"].rows > 50


def test_xml_in_utf_16_is_read(source, run):
    file = a_catalog(source)
    text = file.read_text("utf-8-sig").replace('encoding="UTF-8"', 'encoding="UTF-16"')
    file.write_bytes(text.encode("utf-16"))
    report = run()
    assert report.rejected == {}
    assert object_id(file) in ids(report, "objects")


def test_an_xml_of_200_mb_is_rejected_without_being_read(source, run):
    file = a_catalog(source)
    with file.open("wb") as stream:
        stream.truncate(200 * 2**20)
    assert rejected(run())[file.name]["reason"] == "too_large"


def test_an_entity_bomb_is_rejected(source, run):
    file = a_catalog(source)
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{n} "{"&a" + str(n - 1) + ";" if n > 1 else "&a;" * 10}">' for n in range(1, 30)
    )
    file.write_text(f'<?xml version="1.0"?>{bomb}]><MetaDataObject>&a29;</MetaDataObject>')
    assert rejected(run())[file.name]["reason"] == "unsafe_xml"


def test_an_external_entity_is_never_resolved(source, run, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET")
    file = a_catalog(source)
    file.write_text(
        f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><MetaDataObject>&x;</MetaDataObject>'
    )
    report = run()
    assert rejected(report)[file.name]["reason"] == "unsafe_xml"
    assert not any(b"TOP-SECRET" in part.read_bytes() for part in report.version.path.rglob("*.parquet"))


# ---- BSL


def test_bsl_in_cp1251_is_read_and_said_so(source, run):
    file = a_module(source)
    methods = run().tables["methods"].rows
    file.write_bytes(file.read_text("utf-8-sig").encode("cp1251", "replace"))
    report = run()
    assert report.tables["methods"].rows == methods
    assert not rejected(report)["Module.bsl"]["is_lost"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_bom_makes_no_difference(source, run, mark):
    file = a_module(source)
    file.write_bytes(mark + file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    report = run()
    assert report.rejected == {}


def test_nul_bytes_are_reported_and_the_rest_is_read(source, run):
    methods = run().tables["methods"].rows
    file = a_module(source)
    file.write_bytes(file.read_bytes() + b"\n// \0\0\0\n")
    report = run()
    assert rejected(report)["Module.bsl"]["reason"] == "nul_bytes"
    assert report.tables["methods"].rows == methods


def test_a_line_of_5_mb_is_read(source, run):
    methods = run().tables["methods"].rows
    file = a_module(source)
    file.write_bytes(
        file.read_bytes() + ('\nПроцедура Д()\nА = "' + "я" * 2_500_000 + '";\nКонецПроцедуры\n').encode()
    )
    assert run().tables["methods"].rows == methods + 1


def test_unbalanced_code_loses_no_other_method(source, run):
    methods = run().tables["methods"].rows
    file = a_module(source)
    file.write_bytes(file.read_bytes() + "\nПроцедура Д()\nКонецЕсли;\nКонецПроцедуры\n".encode())
    report = run()
    assert report.tables["methods"].rows == methods + 1
    assert "unbalanced_code" in report.rejected


def test_a_method_without_an_end_loses_no_other_method(source, run):
    before = ids(run(), "methods")
    file = a_module(source)
    text = file.read_text("utf-8-sig")
    file.write_text(text + "\nПроцедура БезКонца()\nА = 1;\n\nПроцедура Целая()\nКонецПроцедуры\n", "utf-8")
    after = ids(run(), "methods")
    assert before <= after
    assert any(method.endswith(".Целая") for method in after)


def test_a_compiled_module_is_recorded_as_protected(source, run):
    file = a_module(source)
    file.write_bytes(b"\xff\xff\xff\x7f" + os.urandom(500))
    report = run()
    modules = report.version.table("modules", ["path", "status"]).to_pylist()
    assert [m["status"] for m in modules if m["path"] == file.relative_to(source).as_posix()] == ["protected"]
    assert report.rejected == {}


# ---- names


def test_names_that_differ_by_case_are_both_kept_and_reported(source, run):
    file = a_catalog(source)
    text = file.read_text("utf-8-sig")
    start = text.index("<Attribute ")
    attribute = text[start : text.index("</Attribute>") + len("</Attribute>")]
    name = attribute.partition("<Name>")[2].partition("</Name>")[0]
    twin = attribute.replace(f"<Name>{name}</Name>", f"<Name>{name.upper()}</Name>", 1)
    file.write_text(text.replace(attribute, attribute + twin, 1), "utf-8")
    report = run()
    assert {f"{object_id(file)}.Attribute.{name}", f"{object_id(file)}.Attribute.{name.upper()}~2"} <= ids(
        report, "fields"
    )
    assert report.rejected == {"duplicate_id": 1}


@pytest.mark.parametrize(
    "name", ["'); DROP TABLE x;--", "`}) DETACH DELETE (n", "(a+)+$", "$${0}", "\\x00\\"]
)
def test_a_name_that_is_an_injection_is_data(source, run, name):
    file = a_catalog(source)
    text = file.read_text("utf-8-sig")
    own = text.partition("<Attribute ")[2].partition("<Name>")[2].partition("</Name>")[0]
    file.write_text(text.replace(f"<Name>{own}</Name>", f"<Name>{name}</Name>", 1), "utf-8")
    assert f"{object_id(file)}.Attribute.{name}" in ids(run(), "fields")


# ---- paths


def test_a_link_out_of_the_root_is_rejected_and_not_followed(source, run, tmp_path):
    outside = tmp_path / "outside.bsl"
    outside.write_text("Процедура Чужая() Экспорт\nКонецПроцедуры\n", "utf-8")
    file = a_module(source)
    file.unlink()
    file.symlink_to(outside)
    report = run()
    assert rejected(report)["Module.bsl"]["reason"] == "unsafe_path"
    assert not any("Чужая" in method for method in ids(report, "methods"))


def test_a_linked_folder_is_rejected_and_not_followed(source, run, tmp_path):
    shutil.move(source / "Catalogs", tmp_path / "outside")
    (source / "Catalogs").symlink_to(tmp_path / "outside")
    report = run()
    assert report.rejected["unsafe_path"] == 1
    assert not any(row.startswith("Catalog.") for row in ids(report, "objects"))
