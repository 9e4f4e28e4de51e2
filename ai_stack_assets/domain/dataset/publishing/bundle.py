"""All files of a revision: the public shards in both forms, the card and the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.dataset.publishing.card import card
from ai_stack_assets.domain.dataset.publishing.export import PUBLIC
from ai_stack_assets.domain.dataset.publishing.statistics import statistics

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version


def bundle(
    repository: str,
    week: str,
    parquet: Version,
    jsonl: Version,
    stages: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write card and statistics into the folder. Returns every file by its name in the repository, and the statistics."""
    numbers = statistics(week, parquet, jsonl, stages)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "README.md": card(repository, numbers).encode(),
        "statistics.json": msgspec.json.format(msgspec.json.encode(numbers), indent=1),
    }
    for name, text in texts.items():
        beside = folder / f".{name}"
        beside.write_bytes(text)
        beside.replace(folder / name)
    shards = {
        f"{place}/{path.name}": path
        for place, version in (("data", parquet), ("jsonl", jsonl))
        for path in version.parts(PUBLIC)
    }
    return {**shards, **{name: folder / name for name in texts}}, numbers
