"""The join cut into slices finds the components that one machine finds, whatever the parts and slices; on Ray, too."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.dataset.dedupe import on_ray, slices
from ai_stack_assets.domain.dataset.dedupe.components import Joiner
from ai_stack_assets.domain.dataset.dedupe.sets import collect

THRESHOLD = 0.8


def texts(count: int, seed: int) -> list[str]:
    """Families of variants, exact copies, empty texts and texts too short for a shingle, in no order."""
    draw = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        words = [f"Слово{draw.randrange(60)}" for _ in range(draw.randrange(1, 60))]
        for _ in range(draw.choice([1, 1, 1, 2, 5])):
            variant = list(words)
            for _ in range(draw.randrange(3)):
                variant[draw.randrange(len(variant))] = f"Слово{draw.randrange(60)}"
            found.append(" ".join(variant))
        found += ["", words[0], "// только комментарий"][: draw.randrange(3)]
    draw.shuffle(found)
    return found[:count]


def on_one_machine(codes: list[str]) -> list[int]:
    """Per text: the first text that it is connected with."""
    sets = collect([pa.array(codes)])
    roots = Joiner(sets).components(THRESHOLD)
    first: dict[int, int] = {}
    return [n if s < 0 else first.setdefault(int(roots[s]), n) for n, s in enumerate(sets.of_text.tolist())]


def in_slices(codes: list[str], parts: int, count: int) -> list[int]:
    cuts = np.array_split(np.arange(len(codes)), parts)
    made = [slices.part_sets(pa.array([codes[i] for i in cut], pa.string())) for cut in cuts]
    table = slices.add_counts([slices.counts(sets) for sets in made])
    starts = np.cumsum([0, *(len(sets.offsets) - 1 for sets in made)])
    shares = [
        slices.cut(s, table, int(start), count, THRESHOLD) for s, start in zip(made, starts, strict=False)
    ]
    links = [slices.link([share[k] for share in shares], THRESHOLD) for k in range(count)]
    roots = slices.components(int(starts[-1]), links)
    return np.concatenate(on_ray.by_text([sets.of_text for sets in made], starts, roots)).tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("parts", "count"), [(1, 1), (3, 4), (7, 2)])
def test_slices_find_what_one_machine_finds(seed: int, parts: int, count: int) -> None:
    codes = texts(400, seed)
    found = in_slices(codes, parts, count)
    assert found == on_one_machine(codes)
    assert len(set(found)) < len(found)


def test_a_part_without_texts_and_a_part_without_tokens_are_no_trouble() -> None:
    assert in_slices(["", "// а", ""], 5, 3) == [0, 1, 2]


@pytest.mark.slow
def test_ray_finds_what_one_machine_finds(tmp_path: Path) -> None:
    codes = texts(600, 11)
    parts = []
    for number, cut in enumerate(np.array_split(np.arange(len(codes)), 3)):
        parts.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(pa.table({"code": [codes[i] for i in cut]}), parts[-1])
    assert np.concatenate(on_ray.components(parts, THRESHOLD)).tolist() == on_one_machine(codes)


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="RAY_ADDRESS"):
        on_ray.components([str(tmp_path / "x.parquet")], THRESHOLD, address="127.0.0.1:9")
