"""The join against its definition: every pair compared in plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.dataset.dedupe.components import Joiner
from ai_stack_assets.domain.dataset.dedupe.sets import collect
from ai_stack_assets_tests.domain.dataset.dedupe import brute_force as brute


def found(codes: list[str], threshold: float, **options: int) -> list[int]:
    """Per text the first text of its component, as brute force gives it."""
    batches = [pa.array(codes[i : i + 50]) for i in range(0, len(codes), 50)]
    sets = collect(batches, limit_bytes=options.get("limit_bytes", 1 << 40))
    labels = Joiner(sets, **options).components(threshold)[sets.of_text]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].tolist()


SHAPES = [
    # families, of each, tokens, changes
    (40, 8, 30, 3),
    (3, 120, 60, 4),
    (2, 150, 120, 9),
    (60, 6, 9, 2),
    (150, 2, 200, 12),
]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("shape", SHAPES)
def test_components_are_those_of_brute_force(shape, threshold):
    for seed in range(3):
        codes = brute.variants(seed, *shape)
        expected = brute.components([brute.shingles(c) for c in codes], threshold)
        assert found(codes, threshold) == expected
        assert len(set(expected)) < len(codes)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_and_passes_change_nothing(threads):
    codes = brute.variants(7, 3, 120, 60, 4)
    expected = found(codes, 0.8)
    for limit_bytes in (20_000, 100_000):
        assert found(codes, 0.8, threads=threads, limit_bytes=limit_bytes) == expected


def test_a_pair_right_at_the_threshold_is_alike_and_one_below_is_not():
    # 36 shingles in common of 45: exactly 0.8
    words = [f"а{n}" for n in range(45)]
    changed = [*words[:40], *(f"б{n}" for n in range(4))]
    a, b = " ".join(words[:44]), " ".join(changed)
    same, union = len(brute.shingles(a) & brute.shingles(b)), len(brute.shingles(a) | brute.shingles(b))
    assert (same, union) == (36, 44)
    assert found([a, b], 36 / 44) == [0, 0]
    assert found([a, " ".join([*changed, "в"])], 0.8) == [0, 0]
    assert found([a, " ".join([*changed, "в", "г"])], 0.8) == [0, 1]


def test_texts_without_tokens_are_alike_to_nothing():
    sets = collect([pa.array(["// примечание", "", "А = 1;"])])
    assert sets.of_text.tolist() == [-1, -1, 0]
    assert sets.tokens.tolist() == [0, 0, 4]


def test_short_texts_are_alike_only_when_their_tokens_are_equal():
    assert found(["А = 1;", "а=1 ;", "А = 2;", "А = 1"], 0.5) == [0, 0, 2, 3]


def test_nothing_gives_nothing():
    sets = collect([])
    assert Joiner(sets).components(0.8).tolist() == []


def test_what_exceeds_the_memory_limit_goes_to_a_file_that_is_not_left_behind(tmp_path):
    codes = brute.variants(3, 20, 10, 40, 3)
    batches = [pa.array(codes[i : i + 20]) for i in range(0, len(codes), 20)]
    spilled, kept = collect(batches, limit_bytes=4096, folder=tmp_path), collect(batches)
    assert spilled.spilled_bytes == spilled.values.nbytes > 4096
    assert kept.spilled_bytes == 0
    assert np.array_equal(spilled.values, kept.values)
    assert np.array_equal(Joiner(spilled).components(0.8), Joiner(kept).components(0.8))
    assert list(tmp_path.iterdir()) == []
