"""Models asked about methods: new ones only, by whole objects, and again when another model is in use."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training import inference
from ai_stack_assets.domain.training.features import compute
from ai_stack_assets.domain.training.inference import InUse
from ai_stack_assets_tests.domain.training import makers


class Model:
    """Remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def predict(self, rows: pa.Table) -> pa.Table:
        self.asked.append(rows["method_name"].to_pylist())
        return pa.table({"name": rows["method_name"]})

    @property
    def names(self) -> list[str]:
        return sorted(name for names in self.asked for name in names)


def features(folder: Path, version: str, **methods: str) -> Version:
    """Of methods, each in the common module that is given for it."""
    rows = compute.compute(
        makers.a_table([makers.a_record(name, f"CommonModule.{owner}") for name, owner in methods.items()])
    )

    def write(parts: stage.Parts) -> dict:
        parts.write("features", rows)
        return {}

    return stage.build(Lake(folder / "features"), "trade", version, write)[0]


def ask(folder: Path, found: Version, version: str = "1", **options: object) -> tuple[Model, list[str]]:
    """The model, and all names that the lake has answers for."""
    model = Model()
    champion = InUse(version, lambda: model, **options)
    made = inference.infer(Lake(folder / "inference"), found, {"regressor": champion}, say=lambda _: None)
    return model, sorted(made.version.table("regressor")["name"].to_pylist())


def test_only_objects_with_something_new_are_asked_about(tmp_path: Path) -> None:
    ask(tmp_path, features(tmp_path, "1", Курс="Валюты", Сумма="Цены", Цена="Цены"))
    more = features(tmp_path, "2", Курс="Валюты", Сумма="Цены", Цена="Цены", Скидка="Цены")
    model, answered = ask(tmp_path, more)
    assert model.names == ["Скидка", "Сумма", "Цена"]
    assert answered == ["Курс", "Скидка", "Сумма", "Цена"]


def test_what_is_gone_is_answered_for_no_more(tmp_path: Path) -> None:
    ask(tmp_path, features(tmp_path, "1", Курс="Валюты", Сумма="Цены"))
    model, answered = ask(tmp_path, features(tmp_path, "2", Курс="Валюты"))
    assert model.names == [] and answered == ["Курс"]


def test_another_champion_is_asked_about_everything(tmp_path: Path) -> None:
    rows = features(tmp_path, "1", Курс="Валюты", Сумма="Цены")
    ask(tmp_path, rows)
    assert ask(tmp_path, rows, "2")[0].names == ["Курс", "Сумма"]


def test_no_piece_cuts_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "ROWS_AT_ONCE", 2)
    methods = {f"Метод{n}": "Валюты" if n < 3 else "Цены" if n < 4 else "Склады" for n in range(6)}
    model, _ = ask(tmp_path, features(tmp_path, "1", **methods))
    assert [sorted(names) for names in model.asked] == [
        ["Метод0", "Метод1", "Метод2"],
        ["Метод4", "Метод5"],
        ["Метод3"],
    ]


def test_rows_of_their_own_are_asked_about_until_their_state_is_another(tmp_path: Path) -> None:
    now, past = features(tmp_path, "1", Курс="Валюты"), features(tmp_path, "past", Старый="Валюты")
    own = past.table("features")
    assert ask(tmp_path, now, rows=lambda: own, state="2026-11-01")[1] == ["Старый"]
    later = features(tmp_path, "3", Курс="Валюты", Новый="Цены")
    assert ask(tmp_path, later, rows=lambda: own, state="2026-11-01")[0].names == []
    assert ask(tmp_path, later, rows=lambda: own, state="2026-11-02")[0].names == ["Старый"]
    assert ask(tmp_path, later, rows=lambda: None, state="2026-11-03")[1] == ["Курс", "Новый"]
