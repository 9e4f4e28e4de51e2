"""Lists for people, from what models answered."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training.worth_a_look import lists


def test_each_model_has_its_list_with_the_most_striking_first(tmp_path: Path) -> None:
    methods = {
        "id": ["1", "2"],
        "object": ["Catalog.Валюты", "Catalog.Цены"],
        "method_name": ["Курс", "Цена"],
    }
    tables = {
        "classifier": {
            **methods, "subsystem": ["Валюты", "Цены"], "code_subsystem": ["Почта", "Цены"], "code_score": [0.95, 0.99],
        },
        "regressor": {**methods, "expected_cyclomatic": [2.0, 3.0], "residual": [0.1, 1.5]},
        "embeddings": methods,
    }  # fmt: skip

    def write(parts: stage.Parts) -> dict:
        for name, columns in tables.items():
            parts.write(name, pa.table(columns))
        return {}

    answers, _ = stage.build(Lake(tmp_path), "trade", "given", write)
    shown = dict(lists(answers))
    assert list(shown) == [
        "Code that looks like another subsystem's in trade",
        "More complex than its name and comment let expect in trade",
    ]
    misplaced, complex_ = shown.values()
    assert "| Catalog.Валюты | Курс | Валюты | Почта | 0.95 |" in misplaced and "Цена" not in misplaced
    assert complex_.index("Цена") < complex_.index("Курс")


def test_answers_of_another_shape_are_left_out(tmp_path: Path) -> None:
    def write(parts: stage.Parts) -> dict:
        parts.write("regressor", pa.table({"id": ["1"]}))
        return {}

    assert list(lists(stage.build(Lake(tmp_path), "trade", "given", write)[0])) == []
