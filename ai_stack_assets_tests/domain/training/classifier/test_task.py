import numpy as np
import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.classifier import task
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets_tests.domain.training.classifier.methods import method, sets, some, table, with_names


def fit(examples: Sets, said: list[str] | None = None, **options):
    parameters = options.pop("parameters", {})
    say = said.append if said is not None else lambda _: None
    return task.fit(examples, parameters, seed=1, progress=say, **options)


@pytest.fixture(scope="module")
def examples() -> Sets:
    return sets()


@pytest.fixture(scope="module")
def model(examples):
    return fit(examples)


def test_methods_are_found_by_the_words_of_their_subsystem(examples, model):
    found = task.evaluate(model, examples.test, seed=1)

    assert found.metrics["macro_f1"] == found.metrics["accuracy"] == 1
    assert found.metrics["code_accuracy"] == 1
    assert found.metrics["context_accuracy"] == 1
    assert found.metrics["unseen_share"] == 0
    assert found.rows == examples.test.num_rows


def test_scores_are_probabilities(examples, model):
    answers = model.predict(examples.test)

    for name in ("subsystem_score", "code_score", "context_score"):
        scores = answers[name].to_numpy()
        assert ((scores >= 0) & (scores <= 1)).all()
    assert min(answers["subsystem_score"].to_pylist()) > 0.5


def test_methods_of_one_object_vote(model):
    owner = "DataProcessor.Новая"
    strange = method("Печать", 1, owner=owner, words=("Курс", "Валюта", "Кратность"))
    rows = table([strange, *(method("Печать", n, owner=owner) for n in range(2, 6))])

    together, alone = model.predict(rows), model.predict(rows.slice(0, 1))

    assert set(together["subsystem"].to_pylist()) == {"Печать"}
    assert alone["subsystem"].to_pylist() == ["Валюты"]


def test_forms_vote_with_the_object_that_owns_them(model):
    strange = ("Курс", "Валюта", "Кратность")
    form = method("Печать", 1, owner="Catalog.Новый", words=strange, directive="&НаКлиенте")
    rows = table([form, *(method("Печать", n, owner="Catalog.Новый") for n in range(2, 6))])

    assert set(model.predict(rows)["subsystem"].to_pylist()) == {"Печать"}


def test_objects_of_two_configurations_do_not_vote_together(model):
    strange = method("Печать", 1, owner="Catalog.Новый", words=("Курс", "Валюта", "Кратность"))
    others = [method("Печать", n, owner="Catalog.Новый") for n in range(2, 6)]
    rows = table([{**strange, "configuration": "other"}, *others])

    assert model.predict(rows)["subsystem"].to_pylist()[0] == "Валюты"


def test_misplaced_code_is_told_by_its_text_whatever_its_object_is_called(model):
    owner = "CommonModule.ПечатьА"
    strange = method("Печать", 1, owner=owner, words=("Курс", "Валюта", "Кратность"))
    rows = table([strange, *(method("Печать", n, owner=owner) for n in range(2, 6))])

    first = model.predict(rows).slice(0, 1).to_pylist()[0]

    assert (first["subsystem"], first["code_subsystem"]) == ("Печать", "Валюты")


def test_labels_directives_and_the_split_are_not_looked_at(examples, model):
    rows = examples.test
    bare = rows.drop_columns(["subsystem", "context"])
    blank = pa.array([""] * rows.num_rows)
    bare = bare.set_column(bare.schema.get_field_index("directive"), "directive", blank)

    assert model.predict(bare).equals(model.predict(rows))


def test_only_methods_of_forms_have_a_context(examples, model):
    answers = model.predict(examples.test)

    for kind, context in zip(
        examples.test["module_type"].to_pylist(), answers["context"].to_pylist(), strict=True
    ):
        assert bool(context) == (kind == "FormModule")


def test_without_forms_there_is_no_context(tmp_path):
    said: list[str] = []
    examples = sets(directives=("",))
    model = fit(examples, said)
    model.save(tmp_path)

    assert any(line.startswith("context: left out") for line in said)
    assert set(task.load(tmp_path).predict(examples.test)["context"].to_pylist()) == {""}
    assert "context_accuracy" not in task.evaluate(model, examples.test, seed=1).metrics


def test_two_subsystems_are_enough():
    train = [m for m in some(range(24)) if m["subsystem"] != "Обмен"]
    found = task.evaluate(fit(sets(train)), sets().test, seed=1)

    assert found.metrics["accuracy"] == pytest.approx(2 / 3)
    assert found.metrics["unseen_share"] == pytest.approx(1 / 3)
    assert found.metrics["macro_f1"] < 0.67, "a subsystem that the model never saw counts as 0"


def test_a_subsystem_with_one_method_is_learned_with_its_name():
    train = [
        *some(range(24)),
        {**method("Валюты", 99, words=("Склад", "Полка", "Место")), "subsystem": "Склады"},
    ]
    rows = table([method("Склады", 1, words=("Склад", "Полка", "Место"))])

    assert fit(sets(train)).predict(rows)["subsystem"].to_pylist() == ["Склады"]


def test_a_subsystem_without_methods_is_known_by_its_name(examples):
    said: list[str] = []
    known = [*examples.train["subsystem"].unique().to_pylist(), "УчетСкладов"]
    train = with_names(examples.train, *known)
    model = fit(Sets(train, examples.validation, examples.test), said)
    rows = table([method("УчетСкладов", n, words=("Склад", "Полка", "Место")) for n in range(5)])
    found = task.evaluate(model, rows, seed=1)

    assert found.metrics["accuracy"] == found.metrics["unseen_share"] == 1
    assert model.by_name == ["УчетСкладов"]
    assert "3 subsystems have methods to learn from, 1 are known by name alone" in said


@pytest.mark.parametrize("kept", [["Валюты"], []])
def test_one_subsystem_or_none_cannot_be_learned(kept):
    train = [{**m, "subsystem": m["subsystem"] if m["subsystem"] in kept else None} for m in some(range(24))]

    with pytest.raises(PermanentError, match="subsystem"):
        fit(sets(train))


def test_methods_without_a_subsystem_are_no_examples():
    rows = table([method("Валюты", 1), {**method("Печать", 2), "subsystem": None}])

    assert task.prepare(rows)["subsystem"].to_pylist() == ["Валюты"]


def test_rows_without_any_label_say_what_is_missing():
    rows = table([{**m, "subsystem": None} for m in some(range(3))])

    with pytest.raises(PermanentError, match="none of 9 methods has a label 'subsystem'"):
        task.prepare(rows)


@pytest.mark.parametrize("name", ["train", "validation"])
def test_an_empty_set_is_named(examples, name):
    parts = {key: getattr(examples, key) for key in ("train", "validation", "test")}
    parts[name] = parts[name].slice(0, 0)

    with pytest.raises(PermanentError, match=f"the {name} set is empty"):
        fit(Sets(**parts))


def test_no_examples_cannot_be_evaluated(examples, model):
    with pytest.raises(PermanentError, match="examples are empty"):
        task.evaluate(model, examples.test.slice(0, 0), seed=1)


@pytest.mark.parametrize("given", [{"depth": 3}, {"vote": "nobody"}])
def test_a_parameter_that_is_not_known_is_refused(examples, given):
    with pytest.raises(PermanentError, match=next(iter(given))):
        fit(examples, parameters=given)


def test_no_rows_have_no_answers(examples, model):
    assert model.predict(examples.test.slice(0, 0)).num_rows == 0


def test_the_same_seed_gives_the_same_model(examples, model):
    again = fit(examples)

    for name, head in model.heads.items():
        assert np.array_equal(head.weights, again.heads[name].weights)


def test_a_saved_model_answers_as_before(examples, model, tmp_path):
    model.save(tmp_path)

    assert task.load(tmp_path).predict(examples.test).equals(model.predict(examples.test))


@pytest.mark.parametrize("name", ["classifier.json", "code.npz", "context.npz"])
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_a_damaged_file_is_named(model, tmp_path, name, damage):
    model.save(tmp_path)
    file = tmp_path / name
    file.write_bytes(file.read_bytes()[:40]) if damage == "cut" else file.unlink()

    with pytest.raises(PermanentError, match=name):
        task.load(tmp_path)


def test_a_killed_fit_goes_on_with_the_heads_that_it_had(examples, model, tmp_path):
    fit(examples, checkpoint=tmp_path)
    (tmp_path / "context.npz").unlink()
    said: list[str] = []
    resumed = fit(examples, said, checkpoint=tmp_path)

    assert [line for line in said if "checkpoint" in line] == [
        "code: taken from the checkpoint",
        "place: taken from the checkpoint",
    ]
    assert resumed.predict(examples.test).equals(model.predict(examples.test))


def test_a_damaged_checkpoint_is_fitted_again(examples, model, tmp_path):
    (tmp_path / "code.npz").write_bytes(b"PK\x03\x04 half")
    said: list[str] = []
    resumed = fit(examples, said, checkpoint=tmp_path)

    assert any(line.startswith("code: fitted again") for line in said)
    assert resumed.predict(examples.test).equals(model.predict(examples.test))


def test_the_score_of_all_rows_is_the_metric_and_repetition_is_allowed(examples):
    known = [m for m in some(range(24)) if m["subsystem"] != "Обмен"]
    found = task.evaluate(fit(sets(known)), examples.test, seed=1)
    every = np.arange(found.rows)

    assert found.score(every) == pytest.approx(found.metrics[task.METRIC])
    assert found.score(np.concatenate([every, every])) == pytest.approx(found.metrics[task.METRIC])
    assert found.score(np.zeros(5, int)) in (0.0, 1.0)


def test_baselines_are_measured_on_the_same_examples(examples):
    found = task.baselines(examples, examples.test, seed=1)

    assert set(found) == {"majority", "TF-IDF, SVC", "object's name"}
    assert {each.rows for each in found.values()} == {examples.test.num_rows}
    assert found["majority"].metrics["accuracy"] == pytest.approx(1 / 3)
    assert found["TF-IDF, SVC"].metrics["accuracy"] == 1


def test_a_baseline_that_finds_nothing_to_learn_from_is_left_out(examples):
    rows = examples.train
    names = [f"CommonModule.Область{'АБВГДЕЖЗИК'[i % 10]}" for i in range(rows.num_rows)]
    alone = rows.set_column(rows.schema.get_field_index("object"), "object", pa.array(names))
    found = task.baselines(Sets(alone, examples.validation, examples.test), examples.test, seed=1)
    assert set(found) == {"majority", "TF-IDF, SVC"}


def test_small_slices_are_left_out_and_pictures_are_tables(examples, model):
    found = task.evaluate(model, examples.train, seed=1)

    assert found.slices["configuration=demo"]["rows"] == 72
    assert all(each["rows"] >= 30 for each in found.slices.values())
    assert all(text.startswith("| ") for text in found.pictures.values())
