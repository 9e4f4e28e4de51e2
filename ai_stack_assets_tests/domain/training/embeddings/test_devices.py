"""Which device takes the steps, and that both engines take the same ones. torch is an optional extra; no GPU is needed here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.embeddings import devices, step, task
from ai_stack_assets.domain.training.embeddings.two_tower import Weights
from ai_stack_assets_tests.domain.training.embeddings.corpus import TUNED, sets

TERMS, SIZE, ROWS = 300, 24, 32
FIELDS = 4
"""The question's and three of the document."""


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def torch_that_sees(monkeypatch: pytest.MonkeyPatch, gpu: str) -> None:
    cuda = SimpleNamespace(is_available=lambda: bool(gpu), get_device_name=lambda: gpu)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))


@pytest.mark.usefixtures("no_torch")
def test_without_torch_the_processor_is_chosen_and_the_fit_tells(small_fit: dict[str, Any]) -> None:
    assert devices.chosen("auto") == devices.chosen("cpu") == devices.Device()
    said: list[str] = []
    model = task.fit(sets(), small_fit, seed=1, progress=said.append)
    assert model.facts == {"device": "cpu"}
    assert said[0].endswith("steps on the processor")


@pytest.mark.usefixtures("no_torch")
def test_a_gpu_that_is_wanted_without_torch_names_the_setting_and_the_extra(
    small_fit: dict[str, Any],
) -> None:
    with pytest.raises(PermanentError, match=r"training\.yaml: tasks\.embeddings.*device.*the extra `torch`"):
        task.fit(sets(), {**small_fit, "device": "cuda"}, seed=1)


def test_a_gpu_that_is_wanted_and_not_there_is_no_reason_to_fit_for_hours_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch_that_sees(monkeypatch, "")
    assert devices.chosen("auto") == devices.Device()
    with pytest.raises(PermanentError, match=r"device is 'cuda', but torch finds no GPU.*pod: {gpus: 1}"):
        devices.chosen("cuda")


def test_a_gpu_that_torch_sees_is_chosen_unless_the_processor_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch_that_sees(monkeypatch, "Some GPU")
    assert devices.chosen("auto") == devices.chosen("cuda")
    assert devices.chosen("auto").facts() == {"device": "cuda", "gpu": "Some GPU"}
    assert devices.chosen("cpu").facts() == {"device": "cpu"}


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"device is one of auto, cpu, cuda, not 'tpu'"):
        devices.chosen("tpu")


def test_the_model_file_knows_no_device(small_fit: dict[str, Any], tmp_path: Path) -> None:
    model = task.fit(sets(), small_fit, seed=1, progress=lambda _: None)
    model.save(tmp_path)
    assert task.load(tmp_path).version == model.version
    assert task.load(tmp_path).facts == {}


def test_both_engines_take_the_same_steps() -> None:
    """To 1e-5. On 31,000 methods, 60 steps apart: terms to 2e-6 where they moved by 4e-2, fields to 1e-4 of 2e-1."""
    engine = needs_torch()
    ours = step.Adam.of(start())
    theirs = engine.Adam(step.Adam.of(start()), "cpu")
    random = np.random.default_rng(3)
    for _ in range(50):
        one = batch(random)
        losses = [each.step(one, 0.1, 1e-3, 5e-3) for each in (ours, theirs)]
        assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert theirs.steps == ours.steps == 50
    for name in ("weights", "first", "second"):
        for part in engine.PARTS:
            mine, other = getattr(getattr(ours, name), part), getattr(getattr(theirs, name), part)
            assert other.dtype == np.float32
            np.testing.assert_allclose(other, mine, atol=1e-5, rtol=0)
    assert np.abs(ours.weights.terms - start().terms).max() > 1e-2


def test_a_question_whose_terms_are_all_left_out_moves_nothing() -> None:
    engine = needs_torch()
    ours, theirs = step.Adam.of(start()), engine.Adam(step.Adam.of(start()), "cpu")
    one = batch(np.random.default_rng(3))
    for bag in one.bags:
        bag.data[bag.indptr[0] : bag.indptr[3]] = 0
    for each in (ours, theirs):
        each.step(one, 0.1, 1e-3, 5e-3)
    np.testing.assert_allclose(theirs.weights.terms, ours.weights.terms, atol=1e-6)
    np.testing.assert_allclose(theirs.weights.fields, ours.weights.fields, atol=1e-6)


def test_workers_agree_on_the_mean_whatever_their_engine() -> None:
    engine = needs_torch()
    ours, theirs = step.Adam.of(start()), engine.Adam(step.Adam.of(start()), "cpu")
    group = SimpleNamespace(size=2, mean=lambda array: array / 2)
    for each in (ours, theirs):
        each.average(group)
    np.testing.assert_array_equal(theirs.weights.terms, ours.weights.terms)
    np.testing.assert_array_equal(theirs.weights.fields, ours.weights.fields)


@pytest.mark.parametrize("begun_by", ["NumPy", "torch"])
def test_a_fit_that_was_killed_is_ended_by_the_other_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun_by: str
) -> None:
    engine = needs_torch()
    examples, by = sets(), ["NumPy"]
    monkeypatch.setattr(
        devices.Device, "take", lambda _, adam: engine.Adam(adam, "cpu") if by[0] == "torch" else adam
    )

    def killed_after_step_20(line: str) -> None:
        if line.startswith("step 30"):
            raise KeyboardInterrupt

    whole = task.fit(examples, {**TUNED, "device": "cpu"}, seed=1, progress=lambda _: None)
    by[0] = begun_by
    with pytest.raises(KeyboardInterrupt):
        task.fit(
            examples, {**TUNED, "device": "cpu"}, seed=1, checkpoint=tmp_path, progress=killed_after_step_20
        )
    by[0] = "NumPy" if begun_by == "torch" else "torch"
    said: list[str] = []
    model = task.fit(examples, TUNED, seed=1, checkpoint=tmp_path, progress=said.append)
    assert any("goes on after step 20" in line for line in said)
    np.testing.assert_allclose(model.weights.terms, whole.weights.terms, atol=1e-4)


@pytest.fixture
def small_fit() -> dict[str, Any]:
    return {**TUNED, "steps": 2, "validate_every": 1}


def needs_torch() -> Any:
    pytest.importorskip("torch", reason="the extra `torch` is not installed")
    from ai_stack_assets.domain.training.embeddings import step_torch

    return step_torch


def start() -> Weights:
    random = np.random.default_rng(1)
    terms = random.normal(scale=0.1, size=(TERMS, SIZE)).astype(np.float32)
    return Weights(terms, np.ones((FIELDS, TERMS), np.float32))


def batch(random: np.random.Generator) -> step.Batch:
    """Some of its rows are empty, some of its documents answer the same."""
    bags = [
        sp.random(ROWS, TERMS, 0.02, "csr", np.float32, random, lambda n: random.random(n) + 0.1).astype(
            np.float32
        )
        for _ in range(FIELDS)
    ]
    return step.Batch(bags, random.integers(ROWS // 2, size=ROWS))
