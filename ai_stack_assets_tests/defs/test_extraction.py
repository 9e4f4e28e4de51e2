"""The lake tables: one run makes all, says what changed, and stops at a gate that does not hold."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from ai_stack_assets.domain.onec.checks import ERROR, GATES
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.orchestration import keys
from ai_stack_assets_tests.platform import LAKE, Platform, break_gates, checks, made, metadata

PIPELINE = dg.AssetSelection.groups(keys.EXTRACTION, keys.STORES)


def some_module(source: Path) -> Path:
    return next(path for path in sorted(source.rglob("Module.bsl")) if path.stat().st_size > 500)


def test_one_run_makes_every_table_and_says_where_it_came_from(platform: Platform) -> None:
    result = platform.run(LAKE)
    assert result.success
    assert made(result) == set(LAKE)
    said = metadata(result, keys.lake("methods"))
    version = platform.version()
    assert said["dagster/row_count"] == said["added"] == version.rows("methods") > 50
    assert said["dagster/table_name"] == "onec.demo.methods"
    assert Path(said["dagster/uri"].removeprefix("file://")).is_dir()
    assert [c.name for c in said["dagster/column_schema"].columns] == TABLES["methods"].column_names
    assert said["dagster/column_lineage"].deps_by_column["module_id"][0].asset_key == keys.lake("modules")
    assert (said["lake_version"], said["source"]["layout"]) == (version.id, "designer")
    assert said["seconds"] and said["rejected_by_reason"] == {}


def test_all_gates_are_judged_and_pass_on_the_sample(platform: Platform) -> None:
    found = checks(platform.run(LAKE))
    assert {name for _, name in found} == set(GATES)
    assert all(result.passed for result in found.values())
    assert {name for (_, name), result in found.items() if result.blocking} == {
        gate.name for gate in GATES.values() if gate.severity == ERROR
    }


def test_a_second_run_says_what_changed_and_nothing_else(platform: Platform, source: Path) -> None:
    platform.run(LAKE)
    module = some_module(source)
    module.write_text(
        module.read_text(encoding="utf-8-sig") + "\nПроцедура Новая()\nКонецПроцедуры\n", "utf-8-sig"
    )
    result = platform.run(LAKE)
    changes = {
        name: tuple(metadata(result, keys.lake(name))[what] for what in ("added", "changed", "removed"))
        for name in TABLES
    }
    assert changes == dict.fromkeys(TABLES, (0, 0, 0)) | {"methods": (1, 0, 0), "modules": (0, 1, 0)}


def test_a_failing_gate_stops_everything_after_it(platform: Platform, source: Path) -> None:
    break_gates(source)
    result = platform.run(PIPELINE)
    assert not result.success
    assert made(result) == set(LAKE)
    failed = [found for found in checks(result).values() if not found.passed]
    assert [found.check_name for found in failed] == ["children_match_configuration"]
    assert failed[0].metadata["sample"].value == ["Catalog.Пропавший"]


def test_a_version_that_a_gate_stops_does_not_stay_current(platform: Platform, source: Path) -> None:
    platform.run(LAKE)
    good = platform.version()
    break_gates(source)
    assert not platform.run(LAKE).success
    assert platform.version() == good


def test_a_warning_stops_nothing(platform: Platform, source: Path) -> None:
    platform.run(LAKE)
    for module in source.rglob("*.bsl"):
        module.write_text("")
    result = platform.run(LAKE)
    [warning] = [found for found in checks(result).values() if not found.passed]
    assert (warning.check_name, warning.severity) == ("no_sudden_loss", dg.AssetCheckSeverity.WARN)
    assert result.success


def test_a_configuration_that_is_not_listed_fails_with_what_to_do(platform: Platform) -> None:
    platform.instance.add_dynamic_partitions("configuration", ["unknown"])
    result = platform.run(LAKE, "unknown")
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "add it there" in failed.step_failure_data.user_failure_data.description


def test_the_vectoriser_is_fitted_once_and_says_why(platform: Platform) -> None:
    first = metadata(platform.run([*LAKE, keys.VECTORISER]), keys.VECTORISER)
    assert (first["is_refitted"], first["reason"]) == (True, "no model yet")
    again = metadata(platform.run([keys.VECTORISER]), keys.VECTORISER)
    assert (again["is_refitted"], again["model"]) == (False, first["model"])
    refit = platform.run([keys.VECTORISER], config={"lake__onec__vectoriser": {"refit": True}})
    assert metadata(refit, keys.VECTORISER)["is_refitted"]
