"""Which names a change of symbols touches, and symbols of parts put together."""

from __future__ import annotations

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
