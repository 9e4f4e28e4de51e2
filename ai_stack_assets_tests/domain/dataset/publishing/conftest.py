"""A small exported dataset, and a hub to publish it to: a folder, or the double of the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.publishing import bundle
from ai_stack_assets.domain.dataset.publishing.export import JSONL, PARQUET, export
from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
from ai_stack_assets.domain.dataset.publishing.hub import Hub
from ai_stack_assets.domain.dataset.publishing.huggingface import HuggingFaceHub
from ai_stack_assets_tests.servers import hub as hub_double

WEEK = "2026-11-15"


def row(number: int, **values: Any) -> dict[str, Any]:
    given = {
        "source": "github",
        "repository": "owner/library",
        "commit": "c" * 40,
        "path": f"src/CommonModules/М{number}/Ext/Module.bsl",
        "licence": "MIT",
        "is_publishable": True,
        "module_type": "CommonModule",
        "method_name": f"Метод{number}",
        "doc_comment": "Считает.",
        "code": f"Функция Метод{number}()\n\tВозврат {number};\nКонецФункции",
        "tokens": 8,
        "quality_score": 0.9,
    }
    return records.record(**{**given, **values})


def splits(folder: Path, rows: int = 30, **values: Any) -> Version:
    """Rows 0, 1, 2… with every tenth in validation and the one after in test; row 3 is private."""
    import pyarrow as pa

    def write(parts: stage.Parts) -> dict[str, Any]:
        for split, wanted in (("validation", {0}), ("test", {1}), ("train", set(range(2, 10)))):
            chosen = [row(n, is_publishable=n != 3, **values) for n in range(rows) if n % 10 in wanted]
            parts.write(split, pa.Table.from_pylist(chosen, schema=records.schema()))
        return {}

    key = stage.key("1", rows=rows, **values)
    return stage.build(Lake(folder / "splits"), WEEK, key, write)[0]


@dataclass
class Exported:
    parquet: Version
    jsonl: Version
    files: dict[str, Path]
    statistics: dict[str, Any]


def exported(folder: Path, splits: Version, week: str = WEEK) -> Exported:
    made = [
        stage.build(
            Lake(folder / kind), week, stage.key("1", splits), lambda parts, k=kind: export(splits, parts, k)
        )[0]
        for kind in (PARQUET, JSONL)
    ]
    files, numbers = bundle.bundle(
        "owner/bsl", week, *made, {"merged": {"rows": 30}}, folder / f"card-{week}"
    )
    return Exported(*made, files, numbers)


@pytest.fixture
def dataset(tmp_path: Path) -> Exported:
    return exported(tmp_path, splits(tmp_path))


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_double.Hub]:
    """Large files by LFS. `HF_HUB_DISABLE_XET` is read when huggingface_hub is imported."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    with hub_double.hub() as state:
        yield state


@pytest.fixture
def huggingface(double: hub_double.Hub) -> HuggingFaceHub:
    return HuggingFaceHub("owner/bsl", double.url, hub_double.TOKEN)


@pytest.fixture(params=["folder", "huggingface"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    if request.param == "folder":
        return FolderHub(tmp_path / "hub", "owner/bsl")
    return request.getfixturevalue("huggingface")
