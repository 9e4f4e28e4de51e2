from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.embeddings import checkpoints, examples, task
from ai_stack_assets.domain.training.embeddings.two_tower import FILE, TwoTower
from ai_stack_assets_tests.domain.training.embeddings.corpus import TUNED, rows, sets


@pytest.fixture(scope="module")
def small() -> Sets:
    return sets()


@pytest.fixture(scope="module")
def fitted(small: Sets) -> TwoTower:
    return task.fit(small, TUNED, seed=1, progress=lambda _: None)


def test_it_finds_what_shares_no_word_with_the_question_and_beats_bm25(small: Sets, fitted: TwoTower) -> None:
    found = task.scored(fitted, small.test, seed=3)
    assert found["two-tower"].metrics[task.METRIC] > found["BM25"].metrics[task.METRIC] + 0.2
    assert found["hybrid"].metrics[task.METRIC] >= found["BM25"].metrics[task.METRIC]


def test_an_evaluation_scores_resamples_of_its_questions_and_tells_of_the_hybrid(
    small: Sets, fitted: TwoTower
) -> None:
    found = task.evaluate(fitted, small.test, seed=3)
    assert found.rows == len(examples.asked(small.test))
    assert found.score(np.arange(found.rows)) == pytest.approx(found.metrics[task.METRIC])
    assert task.HYBRID in found.metrics
    assert found.slices["configuration=demo"]["rows"] == found.rows
    assert "BM25" in found.pictures["Side by side"]


def test_baselines_are_asked_the_same_questions(small: Sets, fitted: TwoTower) -> None:
    beaten = task.baselines(small, small.test, seed=3)
    assert set(beaten) == {"BM25", "LSA"}
    assert {each.rows for each in beaten.values()} == {task.evaluate(fitted, small.test, seed=3).rows}
    assert beaten["BM25"].metrics == task.scored(fitted, small.test, seed=3)["BM25"].metrics


def test_the_same_seed_gives_the_same_model_and_another_one_does_not(small: Sets, fitted: TwoTower) -> None:
    assert task.fit(small, TUNED, seed=1, progress=lambda _: None).version == fitted.version
    assert task.fit(small, TUNED, seed=2, progress=lambda _: None).version != fitted.version


def test_a_saved_model_answers_as_before(small: Sets, fitted: TwoTower, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = task.load(tmp_path)
    assert loaded.version == fitted.version
    assert loaded.share == pytest.approx(fitted.share)
    assert loaded.predict(small.test).equals(fitted.predict(small.test))


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_model_is_named(fitted: TwoTower, tmp_path: Path, damage: bytes | None) -> None:
    fitted.save(tmp_path)
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(PermanentError, match=FILE):
        task.load(tmp_path)


def test_vectors_have_length_one_and_code_of_unknown_words_has_none(fitted: TwoTower, small: Sets) -> None:
    vectors = np.array(fitted.predict(small.test)["vector"].to_pylist())
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert not fitted.questions(pa.array([["никогданевиданное"], []])).any()


def test_a_killed_fit_goes_on_and_ends_as_if_it_had_not_been_killed(
    small: Sets, fitted: TwoTower, tmp_path: Path
) -> None:
    def killed_after_step_20(line: str) -> None:
        if line.startswith("step 30"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task.fit(small, TUNED, seed=1, checkpoint=tmp_path, progress=killed_after_step_20)
    said: list[str] = []
    model = task.fit(small, TUNED, seed=1, checkpoint=tmp_path, progress=said.append)
    assert any("goes on after step 20" in line for line in said)
    assert model.version == fitted.version


@pytest.mark.parametrize("damage", ["cut", "other seed", "other parameters"])
def test_a_checkpoint_that_is_damaged_or_of_another_fit_is_not_used(
    small: Sets, fitted: TwoTower, tmp_path: Path, damage: str
) -> None:
    other = {"other seed": (TUNED, 9), "other parameters": ({**TUNED, "dropout": 0.3}, 1)}
    parameters, seed = other.get(damage, (TUNED, 1))
    task.fit(small, parameters, seed=seed, checkpoint=tmp_path, progress=lambda _: None)
    if damage == "cut":
        file = tmp_path / checkpoints.FILE
        file.write_bytes(file.read_bytes()[:1000])
    said: list[str] = []
    model = task.fit(small, TUNED, seed=1, checkpoint=tmp_path, progress=said.append)
    assert not any("goes on" in line for line in said)
    assert model.version == fitted.version


def test_it_stops_early_when_validation_does_not_get_better(small: Sets) -> None:
    said: list[str] = []
    task.fit(small, {**TUNED, "steps": 10_000, "patience": 2}, seed=1, progress=said.append)
    assert len(said) < 100


def test_methods_without_descriptions_cannot_be_learned_from() -> None:
    bare = rows(range(1)).drop(["doc_comment"])
    bare = bare.append_column("doc_comment", pa.array([""] * bare.num_rows))
    with pytest.raises(PermanentError, match="describes"):
        task.prepare(bare)


@pytest.mark.parametrize(
    ("comment", "is_asked"),
    [
        ("Возвращает курс валюты на указанную дату.\n\nПараметры:\n  Дата - Дата", True),
        ("Возвращает курс", False),
        ("См. ОбщегоНазначения.ЗначениеРеквизитаОбъекта и другие похожие функции", False),
        ("Для процедур ЗаписатьКурс, УдалитьКурс, ПроверитьКурс.", False),
    ],
)
def test_a_question_is_a_description_of_five_words_that_is_no_reference(comment: str, is_asked: bool) -> None:
    assert bool(examples.description(comment)) == is_asked


def test_search_space_offers_known_parameters_only() -> None:
    import optuna

    trial = optuna.create_study().ask()
    assert set(task.search_space(trial)) <= set(task.PARAMETERS)
