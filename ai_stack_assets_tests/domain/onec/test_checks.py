"""The gates over a lake version: each passes on a sound one and fails on its own fault."""

from pathlib import Path

import pytest

from ai_stack_assets.domain.common.lake import Lake, Version, write_version
from ai_stack_assets.domain.onec.checks import ERROR, GATES, SAMPLE, WARN, CheckResult, evaluate
from ai_stack_assets.domain.onec.tables import TABLES

ROOT = "Configuration.Торговля"


def row(table: str, **given: object) -> tuple:
    """A row with empty values but for those given."""
    empty = {"text": "", "json": "{}", "int": 0, "bool": False}
    columns = TABLES[table].columns[:-1]
    values = {c.name: None if c.nullable else empty[c.type] for c in columns} | given
    return tuple(values[c.name] for c in columns)


def child(target: str, kind: str = "object") -> tuple:
    return row(
        "references",
        id=f"{ROOT}>ChildObject>{target}",
        kind="ChildObject",
        source_id=ROOT,
        source_object_id=ROOT,
        target_id=target,
        target_kind=kind,
    )


def sound() -> dict[str, list]:
    """One catalog with one module, one method and one call."""
    module, method = "Catalog.Валюты.ObjectModule", "Catalog.Валюты.ObjectModule.Курс"
    return {
        "objects": [
            row("objects", id=ROOT, kind="Configuration", path="Configuration.xml"),
            row("objects", id="Catalog.Валюты", owner_id=ROOT, path="Catalogs/Валюты.xml"),
        ],
        "fields": [row("fields", id="Catalog.Валюты.Attribute.Код", object_id="Catalog.Валюты")],
        "references": [child("Catalog.Валюты")],
        "modules": [
            row("modules", id=module, object_id="Catalog.Валюты", path="Catalogs/Валюты/Ext/ObjectModule.bsl")
        ],
        "methods": [row("methods", id=method, module_id=module, object_id="Catalog.Валюты")],
        "calls": [
            row("calls", id=f"{method}#1", caller_id=method, module_id=module, target_id=method),
            row("calls", id=f"{module}#1", caller_id=module, module_id=module),
        ],
        "queries": [row("queries", id=f"{method}#query1", place_id=method, object_id="Catalog.Валюты")],
        "rejected": [],
    }


def version(folder: Path, tables: dict[str, list], name: str = "v1") -> Version:
    return write_version(Lake(folder), "trade", tables, name)


def judge(folder: Path, tables: dict[str, list], gate: str) -> CheckResult:
    (found,) = (result for result in evaluate(version(folder, tables), None) if result.name == gate)
    return found


def test_a_sound_version_passes_every_gate(tmp_path):
    results = evaluate(version(tmp_path, sound()), None)
    assert [result.name for result in results] == list(GATES)
    assert [result.name for result in results if not result.passed] == []
    assert all(result.severity == GATES[result.name].severity for result in results)
    assert all(GATES[name].table in TABLES for name in GATES)


def test_gates_that_would_corrupt_what_follows_are_errors():
    warnings = {name for name, gate in GATES.items() if gate.severity == WARN}
    assert warnings == {"names_differ_by_more_than_case", "no_sudden_loss"}
    assert {gate.severity for gate in GATES.values()} == {ERROR, WARN}


def test_a_configuration_without_objects_is_stopped(tmp_path):
    found = judge(tmp_path, {name: [] for name in TABLES}, "is_not_empty")
    assert (found.passed, found.actual, found.threshold) == (False, 0, 1)


@pytest.mark.parametrize(
    "table", ["objects", "fields", "references", "modules", "methods", "calls", "queries"]
)
def test_a_repeated_id_is_found_in_any_table(tmp_path, table):
    tables = sound()
    tables[table].append(tables[table][0])
    found = judge(tmp_path, tables, "ids_are_unique")
    assert (found.passed, found.actual, found.sample) == (False, 1, [tables[table][0][0]])
    assert table in found.description


def test_names_that_differ_only_by_case_are_reported(tmp_path):
    tables = sound()
    tables["fields"].append(row("fields", id="Catalog.Валюты.Attribute.КОД", object_id="Catalog.Валюты"))
    assert judge(tmp_path, tables, "ids_are_unique").passed
    found = judge(tmp_path, tables, "names_differ_by_more_than_case")
    assert (found.passed, found.severity, found.actual) == (False, WARN, 1)
    assert sorted(found.sample) == ["Catalog.Валюты.Attribute.КОД", "Catalog.Валюты.Attribute.Код"]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("objects", "owner_id"),
        ("fields", "object_id"),
        ("fields", "parent_id"),
        ("modules", "object_id"),
        ("methods", "module_id"),
        ("methods", "object_id"),
        ("calls", "caller_id"),
        ("calls", "module_id"),
        ("calls", "target_id"),
        ("queries", "place_id"),
        ("references", "source_object_id"),
    ],
)
def test_an_owner_that_does_not_exist_is_named(tmp_path, table, column):
    tables = sound()
    names = TABLES[table].column_names
    broken = list(tables[table][-1])
    broken[names.index("id")], broken[names.index(column)] = "another", "Catalog.Нет"
    tables[table].append(tuple(broken))
    found = judge(tmp_path, tables, "owners_exist")
    assert (found.passed, found.actual, found.sample) == (False, 1, ["Catalog.Нет"])
    assert f"{table}.{column}: 1" in found.description


def test_a_listed_child_without_an_object_is_named(tmp_path):
    tables = sound()
    tables["references"].append(child("Catalog.Потерян", kind="unresolved"))
    found = judge(tmp_path, tables, "children_match_configuration")
    assert (found.passed, found.actual, found.sample) == (False, 1, ["Catalog.Потерян"])


def test_an_object_that_the_configuration_does_not_list_is_named(tmp_path):
    tables = sound()
    tables["objects"].append(row("objects", id="Catalog.Лишний", owner_id=ROOT))
    tables["objects"].append(row("objects", id="Catalog.Валюты.Form.Ф", owner_id="Catalog.Валюты"))
    found = judge(tmp_path, tables, "children_match_configuration")
    assert (found.passed, found.sample) == (False, ["Catalog.Лишний"])


def test_a_source_without_a_list_of_children_is_not_held_to_one(tmp_path):
    assert judge(tmp_path, sound() | {"references": []}, "children_match_configuration").passed


def test_few_lost_files_pass_and_many_do_not(tmp_path):
    def lost(count: int) -> list:
        return [row("rejected", id=f"{n}", path=f"lost{n}.xml", is_lost=True) for n in range(count)]

    tables = sound()
    tables["objects"] += [
        row("objects", id=f"Catalog.К{n}", owner_id="Catalog.Валюты", path=f"{n}") for n in range(197)
    ]
    partly = [row("rejected", id="p", path="Catalogs/Валюты.xml", is_lost=False)]
    found = judge(tmp_path / "few", tables | {"rejected": [*lost(2), *partly]}, "lost_files_are_few")
    assert (found.passed, found.actual, found.threshold) == (True, round(2 / 202, 5), 0.01)
    found = judge(tmp_path / "many", tables | {"rejected": lost(3)}, "lost_files_are_few")
    assert not found.passed
    assert sorted(found.sample) == ["lost0.xml", "lost1.xml", "lost2.xml"]


def test_a_table_that_lost_a_fifth_of_its_rows_is_a_warning(tmp_path):
    def fields(count: int) -> dict[str, list]:
        return {"fields": [row("fields", id=f"f{n}", object_id="Catalog.Валюты") for n in range(count)]}

    previous = version(tmp_path, sound() | fields(10), "v1")
    for count, passed in ((8, True), (7, False), (100, True)):
        now = version(tmp_path, sound() | fields(count), f"v{count}")
        found = evaluate(now, previous)[-1]
        assert (found.name, found.passed, found.severity) == ("no_sudden_loss", passed, WARN)
        assert found.sample == ([] if passed else ["fields: 10 → 7"])


def test_a_sample_is_short_however_many_are_at_fault(tmp_path):
    tables = sound()
    tables["references"] += [child(f"Catalog.Нет{n}", kind="unresolved") for n in range(100)]
    found = judge(tmp_path, tables, "children_match_configuration")
    assert (found.actual, len(found.sample)) == (100, SAMPLE)
