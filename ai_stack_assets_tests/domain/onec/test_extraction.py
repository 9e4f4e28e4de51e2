"""The whole way from a source to a version: what is read, what is taken over, what a kill or a second run leaves."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec import buckets, extraction, fact_cache, file_states
from ai_stack_assets.domain.onec.tables import TABLES

SAMPLE = Path(__file__).parents[3] / "samples" / "demo" / "designer"


class Place:
    """A copy of the sample configuration with a lake and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        shutil.copytree(SAMPLE, self.source)
        for file in self.source.rglob("*"):
            # old enough to be trusted without being read again
            os.utime(file, (1_700_000_000, 1_700_000_000))
        self.lake, self.cache = Lake(folder / "lake"), folder / "cache"

    def extract(self, **options) -> extraction.ExtractionReport:
        return extraction.extract("demo", str(self.source), self.lake, self.cache, **options)

    def module(self) -> Path:
        modules = sorted(self.source.glob("CommonModules/*/Ext/Module.bsl"), key=lambda p: p.stat().st_size)
        return modules[-1]

    def append(self, code: str) -> Path:
        module = self.module()
        module.write_bytes(module.read_bytes() + code.encode())
        return module


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def small_buckets(monkeypatch):
    monkeypatch.setattr(file_states, "FILES_PER_BUCKET", 8)


def test_all_eight_tables_are_published(place):
    report = place.extract()
    assert set(report.tables) == set(TABLES)
    assert all(report.tables[t].rows for t in TABLES if t != "rejected")
    assert place.lake.current("demo") == report.version
    assert report.rejected == {}


def test_a_second_run_reads_nothing_and_changes_nothing(place):
    first = place.extract()
    second = place.extract()
    assert second.is_unchanged
    assert second.version.id == first.version.id
    assert second.files["unchanged"] == second.files["listed"]


@pytest.mark.usefixtures("small_buckets")
def test_a_changed_module_changes_its_rows_only(place):
    first = place.extract()
    place.append("\nПроцедура НоваяПроцедура()\n\tА = 1;\nКонецПроцедуры\n")
    second = place.extract()
    assert second.tables["methods"].added == 1
    assert second.tables["modules"].changed == 1
    assert second.files["parsed"] == 1
    assert second.files["unchanged"] > second.files["listed"] / 2
    assert second.version.id != first.version.id
    untouched = {p.name: p.stat().st_ino for p in first.version.parts("objects")}
    taken_over = {p.name: p.stat().st_ino for p in second.version.parts("objects")}
    assert len(set(untouched.items()) & set(taken_over.items())) > len(untouched) / 2


@pytest.mark.usefixtures("small_buckets")
def test_what_a_change_reaches_elsewhere_is_linked_again(place):
    caller = place.source / "CommonModules" / place.module().parts[-3] / "Ext" / "Module.bsl"
    others = [m for m in place.source.glob("CommonModules/*/Ext/Module.bsl") if m != caller]
    name = others[0].parts[-3]
    place.append(f"\nПроцедура ВызовНового() Экспорт\n\t{name}.ПоявитсяПозже();\nКонецПроцедуры\n")

    def target(report) -> str | None:
        calls = report.version.table("calls", ["name", "target_id"]).to_pylist()
        return next(call["target_id"] for call in calls if call["name"] == "ПоявитсяПозже")

    assert target(place.extract()) is None
    others[0].write_bytes(
        others[0].read_bytes() + "\nПроцедура ПоявитсяПозже() Экспорт\nКонецПроцедуры\n".encode()
    )
    assert target(place.extract()) == f"CommonModule.{name}.Module.ПоявитсяПозже"


@pytest.mark.usefixtures("small_buckets")
def test_an_incremental_version_equals_a_fresh_one_byte_by_byte(place, tmp_path):
    place.extract()
    place.append("\nФункция ЕщеОдна() Экспорт\n\tВозврат 1;\nКонецФункции\n")
    incremental = place.extract().version
    shutil.rmtree(next(place.source.glob("Catalogs/*/")))
    incremental = place.extract().version
    fresh = extraction.extract(
        "demo", str(place.source), Lake(tmp_path / "lake2"), tmp_path / "cache2"
    ).version
    assert incremental.id == fresh.id
    for table in TABLES:
        assert [p.read_bytes() for p in incremental.parts(table)] == [
            p.read_bytes() for p in fresh.parts(table)
        ]


@pytest.mark.usefixtures("small_buckets")
def test_processes_and_a_single_one_give_the_same(place, tmp_path):
    alone = place.extract(workers=1).version
    together = extraction.extract(
        "demo", str(place.source), Lake(tmp_path / "l2"), tmp_path / "c2", workers=2
    ).version
    assert alone.id == together.id


def test_a_file_known_from_another_configuration_is_not_parsed_again(place, tmp_path):
    place.extract()
    report = extraction.extract("second", str(place.source), Lake(tmp_path / "other"), place.cache)
    assert report.files.get("parsed", 0) == 0


def test_a_touched_file_with_the_same_bytes_changes_nothing(place):
    place.extract()
    os.utime(place.module())
    report = place.extract()
    assert report.is_unchanged
    assert report.files.get("parsed", 0) == 0


def test_a_damaged_cache_is_set_aside_and_built_again(place):
    first = place.extract()
    file = place.cache / "facts.sqlite"
    file.write_bytes(b"garbage" * 1000)
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    place.append("\n// изменено\n")
    report = place.extract()
    assert report.version.id != first.version.id
    assert report.files["parsed"] > 1
    assert Path(f"{file}.damaged").exists()


def test_a_kill_in_the_middle_leaves_the_version_before_and_the_next_run_repairs(place):
    first = place.extract()
    place.append("\nПроцедура ПослеСбоя()\nКонецПроцедуры\n")
    code = f"""
import os
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec import draft, extraction
draft.Draft.publish = lambda *_: os._exit(9)
extraction.extract("demo", {str(place.source)!r}, Lake(Path({str(place.lake.root)!r})), Path({str(place.cache)!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert place.lake.current("demo").id == first.version.id
    assert place.extract().tables["methods"].added == 1


def test_two_runs_of_one_configuration_give_one_version(place):
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(place.extract())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({report.version.id for report in reports}) == 1
    assert sorted(report.is_unchanged for report in reports) == [False, True]


def test_a_change_of_the_readers_code_reads_everything_again(place, monkeypatch):
    place.extract()
    for module in (fact_cache, buckets):
        monkeypatch.setattr(module, "reader_version", lambda: "another")
    assert place.extract().files["parsed"] > 100


def test_what_must_not_be_listed_counts_as_a_change(place, tmp_path):
    place.extract()
    (tmp_path / "outside").mkdir()
    (place.source / "Interfaces").symlink_to(tmp_path / "outside")
    second = place.extract()
    assert second.tables["rejected"].added == 1
    assert place.extract().is_unchanged
    (place.source / "Interfaces").unlink()
    assert place.extract().tables["rejected"].removed == 1


def test_several_configurations_need_a_path(tmp_path):
    for name in ("one", "two"):
        shutil.copytree(SAMPLE, tmp_path / "repository" / name / "src")
    lake = Lake(tmp_path / "lake")

    def extract(path: str | None):
        return extraction.extract("demo", str(tmp_path / "repository"), lake, tmp_path / "cache", path=path)

    with pytest.raises(PermanentError, match="one/src, two/src"):
        extract(None)
    with pytest.raises(PermanentError, match="no single configuration at path 'three'"):
        extract("three")
    assert extract("two").tables["objects"].rows
