"""Expected complexity: what it is read from, how good it is, what it refuses, and that it comes back from disk as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.compute import of_methods
from ai_stack_assets.domain.training.regressor import fitting, header, measures, model, siblings, task
from ai_stack_assets_tests.domain.training.regressor.methods import method, rows, sets

FAST = {**task.PARAMETERS, "rounds": 60, "least_rows": 10}


def fitted(examples: Sets, **parameters) -> model.Regressor:
    return task.fit(examples, {**FAST, **parameters}, seed=1, progress=lambda _: None)


@pytest.fixture(scope="module")
def examples() -> Sets:
    return sets()


@pytest.fixture(scope="module")
def regressor(examples: Sets) -> model.Regressor:
    return fitted(examples)


def test_complexity_that_follows_from_names_is_learned_across_families(regressor, examples):
    found = task.evaluate(regressor, examples.test, seed=1)
    beaten = task.baselines(examples, examples.test, seed=1)
    assert found.metrics["r2"] > 0.8
    assert all(found.metrics["r2"] > baseline.metrics["r2"] for baseline in beaten.values() if baseline.rows)
    assert {"mean", "number of parameters", "words alone"} == set(beaten)


def test_a_method_more_complex_than_its_name_says_has_a_positive_residual(regressor):
    simple, tangled = (
        regressor.predict(of_methods([method("ПолучитьКурс1", n, object="CommonModule.Новый")]))
        for n in (0, 12)
    )
    assert simple["expected"] == tangled["expected"]
    assert tangled["residual"][0].as_py() > simple["residual"][0].as_py() + 1


def test_a_module_that_is_complex_as_a_whole_is_expected_to_be_so(regressor):
    plain = [method(f"ПолучитьКурс{i}", 0, object="CommonModule.Простой") for i in range(20)]
    tangled = [method(f"ПолучитьКурс{i}", 8, object="CommonModule.Разбор") for i in range(20)]
    found = replace(regressor, shrinkage=2.0).predict(of_methods([*plain, *tangled]))
    own, beside = (found[name].to_numpy()[20:] for name in ("residual", "residual_in_module"))
    assert np.all(np.abs(beside) < own / 2)


def test_a_method_alone_in_its_module_is_judged_by_its_header(regressor):
    [found] = regressor.predict(
        of_methods([method("ПолучитьКурс1", 8, object="CommonModule.Новый")])
    ).to_pylist()
    assert found["residual_in_module"] == found["residual"]


def test_its_own_complexity_never_moves_what_is_expected_of_a_method(regressor):
    others = [method(f"ПолучитьКурс{i}", 3, object="CommonModule.Новый") for i in range(5)]
    asked = [of_methods([method("ЭтоСклад1", n, object="CommonModule.Новый"), *others]) for n in (0, 12)]
    simple, tangled = (regressor.in_module(rows, regressor.expected(rows))[0] for rows in asked)
    assert simple == pytest.approx(tangled)


def test_a_large_family_does_not_outweigh_the_others_in_training():
    families = [*["большая"] * 90, *["малая"] * 10]
    assert set(fitting.family_balance(families, 0)) == {1.0}
    balanced = fitting.family_balance(families, 1)
    assert balanced[:90].sum() == pytest.approx(balanced[90:].sum())
    assert balanced.mean() == pytest.approx(1)


def test_no_family_counts_for_more_than_a_twentieth():
    weights = measures.family_weights([*["большая"] * 40, *(f"малая{i}" for i in range(60))])
    assert weights[:40].sum() == pytest.approx(5)
    assert set(weights[40:]) == {1.0}


def test_the_residual_is_null_where_the_complexity_is_not_known(regressor, examples):
    known = regressor.predict(examples.test)
    unknown = regressor.predict(examples.test.drop_columns(["cyclomatic"]))
    assert unknown["residual"].null_count == examples.test.num_rows
    assert unknown["residual_in_module"].null_count == examples.test.num_rows
    assert unknown["expected"] == known["expected"]


def test_what_else_a_module_declares_is_known_of_each_of_its_methods():
    names = ["ПолучитьКурс", "ПолучитьЦену", "ЭтоСклад"]
    found = of_methods([method(name, 1, object="CommonModule.Новый") for name in names])
    known = siblings.context(header.headers(found), header.modules(found))
    assert known.shape == (3, siblings.COLUMNS)
    assert np.allclose(known[:, 0], np.log(3))
    assert np.allclose(known[:, 1], np.log([2, 2, 1]))
    assert np.allclose(known[0], known[1])


def test_the_code_of_the_others_says_nothing_of_a_method():
    asked = [
        of_methods([method(f"ПолучитьКурс{i}", n, object="CommonModule.Новый") for i in range(3)])
        for n in (0, 9)
    ]
    simple, tangled = (siblings.context(header.headers(rows), header.modules(rows)) for rows in asked)
    assert np.allclose(simple, tangled)


def test_a_method_without_others_of_its_module_is_asked_of_trees_that_need_none(regressor, examples):
    alone = regressor.expected(examples.test, model.ALONE)
    one_by_one = [regressor.expected(examples.test.slice(i, 1))[0] for i in range(5)]
    assert one_by_one == pytest.approx(alone[:5])
    assert not np.allclose(alone, regressor.expected(examples.test))


def test_methods_of_no_known_module_are_not_taken_for_one_module():
    found = of_methods([method(name, 1) for name in ("Получить", "Проверить")])
    assert len(set(header.modules(found).tolist())) == 2
    assert np.isnan(siblings.context(header.headers(found), header.modules(found))).all()


def test_modules_of_one_method_each_need_one_set_of_trees(tmp_path: Path):
    single = (range(20), range(20, 26), range(26, 32))
    lone = fitted(Sets(*(task.prepare(rows(part, each=1)) for part in single)))
    assert [*lone.trees] == [model.ALONE]
    lone.save(tmp_path)
    asked = rows(range(3))
    assert task.load(tmp_path).predict(asked) == lone.predict(asked)


def test_only_columns_that_are_known_before_the_code_is_written_are_read(regressor, examples):
    assert set(header.COLUMNS) <= set(definitions.names(is_from_body=False))
    bare = examples.test.select([*header.COLUMNS])
    assert regressor.predict(bare)["expected"] == regressor.predict(examples.test)["expected"]


def test_parameters_are_read_from_the_signature_whatever_their_defaults():
    [found] = header.headers(of_methods([{"code": 'Процедура А(Знач Б, В = ",)", Г)\nКонецПроцедуры'}]))
    assert [(p.name, p.is_by_value, p.default) for p in found.parameters] == [
        ("Б", True, None),
        ("В", False, '",)"'),
        ("Г", False, None),
    ]


def test_types_of_the_comment_count_as_words():
    comment = "Делает.\n\nПараметры:\n  Б - Строка - имя\n\nВозвращаемое значение:\n  Структура:\n  * А - Число - сколько\n"
    [found] = header.headers(of_methods([method("Сделать", 1, doc_comment=comment)]))
    assert {"parameters строка", "returns структура", "returns 1 fields"} <= set(found.words("types"))


def test_the_same_seed_gives_the_same_model(examples, regressor):
    again = fitted(examples).predict(examples.test)
    assert np.allclose(
        again["expected"].to_numpy(), regressor.predict(examples.test)["expected"].to_numpy(), atol=1e-6
    )


def test_without_the_place_it_is_not_looked_at(examples):
    blind = fitted(examples, with_place=False)
    assert "place" not in blind.reader.terms
    other = examples.test.set_column(
        examples.test.schema.get_field_index("object"),
        "object",
        pa.array(["Catalog.Иное"] * examples.test.num_rows),
    )
    assert blind.predict(other)["expected"] == blind.predict(examples.test)["expected"]


def test_no_rows_get_no_answers(regressor, examples):
    assert regressor.predict(examples.test.slice(0, 0)).num_rows == 0


def test_a_saved_model_says_the_same(regressor, examples, tmp_path: Path):
    regressor.save(tmp_path)
    assert task.load(tmp_path).predict(examples.test) == regressor.predict(examples.test)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz", ".txt", ".json"}


@pytest.mark.parametrize("name", [model.WORDS, "trees_in_module.txt", "trees_alone.txt", model.FACTS])
@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_a_damaged_file_is_named(regressor, tmp_path: Path, name, damage):
    regressor.save(tmp_path)
    file = tmp_path / name
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(
            file.read_bytes()[: file.stat().st_size // 2] if damage == "cut" else b"\x00 nonsense"
        )
    with pytest.raises(PermanentError, match=name.replace(".", r"\.")):
        task.load(tmp_path)


def test_equal_complexities_are_refused():
    same = of_methods([method(f"Получить{i}", 2) for i in range(5)])
    with pytest.raises(
        PermanentError, match="all 5 methods have a complexity of 3: there is nothing to learn"
    ):
        task.prepare(same)


def test_rows_without_a_method_are_refused():
    with pytest.raises(PermanentError, match="none of 1 rows is a method"):
        task.prepare(of_methods([{"code": "А = 1;"}]))


def test_an_unknown_complexity_is_refused():
    found = rows(range(1))
    at = found.schema.get_field_index("cyclomatic")
    holes = found.set_column(
        at, "cyclomatic", pa.array([None, *found["cyclomatic"].to_pylist()[1:]], pa.int32())
    )
    with pytest.raises(PermanentError, match="cyclomatic is null"):
        task.prepare(holes)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_named(examples, split):
    parts = {name: getattr(examples, name) for name in ("train", "validation", "test")}
    parts[split] = parts[split].slice(0, 0)
    with pytest.raises(PermanentError, match=f"the {split} set of the regressor is empty"):
        fitted(Sets(**parts))


def test_one_family_to_learn_from_is_refused(examples):
    alone = task.prepare(rows(range(1)))
    with pytest.raises(PermanentError, match="one family"):
        fitted(Sets(alone, examples.validation, examples.test))


def test_slices_are_by_configuration_and_module_type(regressor, examples):
    found = task.evaluate(regressor, examples.test, seed=1)
    assert found.slices["configuration=trade"]["rows"] == examples.test.num_rows
    assert found.slices["module_type=CommonModule"][task.METRIC] == pytest.approx(found.metrics[task.METRIC])
    assert found.score(np.arange(found.rows)) == pytest.approx(found.metrics[task.METRIC])


def test_the_pictures_show_calibration_and_the_furthest_methods(regressor, examples):
    pictures = task.evaluate(regressor, examples.test, seed=1).pictures
    assert "CommonModule.Область" in pictures["More complex than expected"]
    assert pictures["Expected and real complexity"].count("\n") >= 11
