"""Which names a change of symbols touches, and symbols of parts put together."""

from __future__ import annotations

import mmap
from pathlib import Path

import msgspec
import pytest

from ai_stack_assets.domain.bsl.symbols import Symbols
from ai_stack_assets.domain.onec.symbol_rows import changed_names

MODULE = ("CommonModule.Общий.Module", "CommonModule", "CommonModule.Общий", False)


def symbols(*methods: tuple[str, bool], is_global: bool = False, fields: tuple[str, ...] = ()) -> Symbols:
    rows = [
        (f"{MODULE[0]}.{name}", MODULE[0], name.partition("~")[0], is_export) for name, is_export in methods
    ]
    return Symbols(["CommonModule.Общий"], fields, [(*MODULE[:3], is_global)], rows)


def test_only_the_method_that_changed_is_named_not_its_neighbours() -> None:
    before = symbols(("Первый", True), ("Второй", True))
    assert changed_names(before, symbols(("Первый", True), ("Второй", False))) == {"второй"}
    assert changed_names(before, symbols(("Первый", True), ("Второй", True), ("Второй~2", True))) == {
        "второй"
    }
    assert changed_names(before, before) == set()


def test_a_module_that_became_global_stands_for_all_its_methods() -> None:
    before = symbols(("Первый", True), ("Второй", False))
    after = symbols(("Первый", True), ("Второй", False), is_global=True)
    assert changed_names(before, after) == {"первый", "второй"}


def test_a_field_that_vanished_is_named_in_lower_case() -> None:
    before = symbols(fields=("Catalog.Валюты.Attribute.Код",))
    assert changed_names(before, symbols()) == {"код"}


def test_symbols_of_parts_put_together_find_what_each_part_has() -> None:
    other = Symbols(["Catalog.Валюты"], ["Catalog.Валюты.Attribute.Код", "Catalog.Валюты.Form.Ф.Item.Код"])
    whole = Symbols.from_bytes(Symbols.joined([other.to_bytes(), symbols(("Первый", True)).to_bytes()]))
    assert whole.objects.get("catalog.валюты") == "Catalog.Валюты"
    assert whole.fields.get("catalog.валюты.attribute.код") == "Catalog.Валюты.Attribute.Код"
    assert whole.loose_fields.get("catalog.валюты.код") == "Catalog.Валюты.Attribute.Код"
    assert whole.methods.get("commonmodule.общий.module.первый") == "CommonModule.Общий.Module.Первый"
    assert whole.methods.get("commonmodule.общий.module.нет") is None
    assert "catalog.нет" not in whole.objects


def test_no_symbols_at_all_are_symbols() -> None:
    assert Symbols.from_bytes(Symbols.joined([])).objects.get("catalog.валюты") is None


def test_symbols_of_an_earlier_release_are_told_apart() -> None:
    with pytest.raises(msgspec.ValidationError):
        Symbols.from_bytes(msgspec.msgpack.encode([["Catalog.Валюты"], [], [], []]))


def test_a_mapped_file_of_many_parts_gives_what_bytes_in_memory_give(tmp_path: Path) -> None:
    names = [f"Имя{number}" for number in range(300)]
    parts = [
        Symbols(
            [f"Catalog.{name}"],
            [f"Catalog.{name}.Attribute.Код", f"Catalog.{name}.Form.Ф.Item.Код"],
            [(f"Catalog.{name}.ManagerModule", "ManagerModule", f"Catalog.{name}", None)],
            [
                (f"Catalog.{name}.ManagerModule.Найти", f"Catalog.{name}.ManagerModule", "Найти", True),
                (f"Catalog.{name}.ManagerModule.Скрыть", f"Catalog.{name}.ManagerModule", "Скрыть", False),
            ],
        ).to_bytes()
        for name in names
    ]
    file = tmp_path / "all"
    with file.open("wb") as opened:
        Symbols.join(parts, opened)
    with file.open("rb") as opened:
        mapped = Symbols.from_bytes(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    assert mapped.to_bytes() == Symbols.joined(parts)
    assert [len(lines) for lines in mapped.lines()] == [300, 600, 300, 300]
    for name in names:
        low = name.lower()
        assert mapped.objects.get(f"catalog.{low}") == f"Catalog.{name}"
        assert mapped.loose_fields.get(f"catalog.{low}.код") == f"Catalog.{name}.Attribute.Код"
        assert (
            mapped.methods.get(f"catalog.{low}.managermodule.скрыть")
            == f"Catalog.{name}.ManagerModule.Скрыть"
        )
        manager = mapped.manager("справочники", low)
        assert manager and manager.exports == {"найти": f"Catalog.{name}.ManagerModule.Найти"}
    assert "catalog.имя300" not in mapped.objects


def test_of_ids_that_differ_by_case_the_last_is_given_and_without_classes_the_first() -> None:
    ids = ["Catalog.А.Attribute.Код", "Catalog.А.Attribute.код", "Catalog.А.TabularSection.Код"]
    found = Symbols(["Catalog.А"], ids)
    assert found.fields.get("catalog.а.attribute.код") == "Catalog.А.Attribute.код"
    assert found.loose_fields.get("catalog.а.код") == "Catalog.А.Attribute.Код"
