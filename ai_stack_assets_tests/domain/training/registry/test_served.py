"""A registered model where nothing of this project is installed."""

import ast
import contextlib
import http.client
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import tasks
from ai_stack_assets.domain.training.registry import packaging, records, served
from ai_stack_assets_tests.domain.training import clean_process, tiny, tiny_code
from ai_stack_assets_tests.domain.training.registry.conftest import BEST, BETTER, INPUTS
from ai_stack_assets_tests.servers.process import free_port

EXAMPLE = Path(__file__).parents[4] / "examples" / "serve_model.py"
FIT_ONLY = {"numba", "ray", "torch"}
"""Imported inside the functions that fit a model, never where one is used."""
LOADS = """
import importlib.util, json, sys
assert importlib.util.find_spec("ai_stack_assets") is None
import mlflow.pyfunc
from mlflow.models import Model
folder = sys.argv[1]
model = mlflow.pyfunc.load_model(folder)
answer = model.predict(Model.load(folder).load_input_example(folder))
print(answer.to_json(orient="records"))
"""
CODE = "Функция Сумма(Первое, Второе) Экспорт\n\tВозврат Первое + Второе;\nКонецФункции"


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """What `pip install mlflow` and the requirements of both tasks would bring."""
    folder = tmp_path_factory.mktemp("clean") / "packages"
    names = packaging.requirements(
        [*tiny.REQUIREMENTS, *tiny_code.REQUIREMENTS, "PyStemmer", "msgspec", "xxhash"]
    )
    return clean_process.linked(names, folder)


def loaded(packages: Path, model: Path, tmp_path: Path) -> list[dict]:
    script = tmp_path / "loads.py"
    script.write_text(LOADS)
    done = clean_process.run(packages, script, str(model))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def of_code(tmp_path: Path, rows: pa.Table) -> packaging.Fit:
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    return packaging.Fit(tiny_code, folder, rows, {})


def rows_with_code() -> pa.Table:
    from ai_stack_assets.domain.training.features.compute import of_methods

    return of_methods(
        [{"code": CODE, "object": "CommonModule.Числа"}, {"code": CODE, "doc_comment": "Складывает."}]
    )


def test_a_registered_model_loads_with_mlflow_and_its_requirements_alone(workshop, packages, tmp_path):
    workshop.made(BEST)

    files = workshop.registry.files(workshop.registry.champion(tiny))

    assert loaded(packages, files, tmp_path) == [{"is_long": False, "words": [str(n)] * 2} for n in (1, 2, 3)]


def test_a_model_of_code_takes_code_and_computes_the_features_where_it_runs(packages, tmp_path):
    folder = packaging.package(of_code(tmp_path, rows_with_code()), tmp_path / "packed")

    from mlflow.models import Model

    inputs = Model.load(str(folder)).signature.inputs
    assert [c.name for c in inputs.inputs if c.required] == ["code"]
    assert {"doc_comment", "object"} < set(inputs.input_names())
    assert "code_terms" not in inputs.input_names()
    assert [row["name"] for row in loaded(packages, folder, tmp_path)] == ["Сумма", "Сумма"]


def test_columns_that_are_not_code_may_be_left_out(tmp_path):
    import mlflow.pyfunc
    import pandas as pd

    folder = packaging.package(of_code(tmp_path, rows_with_code()), tmp_path / "packed")

    answer = mlflow.pyfunc.load_model(str(folder)).predict(pd.DataFrame({"code": [CODE]}))

    assert answer["parameter_count"].tolist() == [2]


def test_only_modules_that_the_model_needs_are_shipped(workshop):
    needed = packaging.needed_modules([tiny.__name__])

    assert "ai_stack_assets.domain.training.contract" in needed
    assert "ai_stack_assets.domain.common.failures" in needed
    assert not [name for name in needed if "stores" in name or "registry" in name or "dagster" in name]


def test_what_is_imported_for_type_checking_only_is_not_shipped(tmp_path, monkeypatch):
    package = tmp_path / "made_up"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__", "used", "unused", "lazy", "inner/__init__", "inner/deep"):
        (package / f"{name}.py").write_text("")
    (package / "root.py").write_text(
        "from typing import TYPE_CHECKING\nfrom . import used\nif TYPE_CHECKING:\n    from . import unused\n"
        "def late():\n    from made_up import lazy\n    import made_up.inner.deep\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    found = packaging.needed_modules(["made_up.root"])

    assert sorted(found) == sorted(
        ["made_up", *(f"made_up.{name}" for name in ("root", "used", "lazy", "inner", "inner.deep"))]
    )


def test_requirements_are_pinned_and_one_that_is_missing_is_named():
    assert any(name.startswith("numpy==") for name in packaging.requirements(["numpy"]))
    with pytest.raises(PermanentError, match="no-such-thing"):
        packaging.requirements(["no-such-thing>=1"])


def test_a_column_that_mlflow_has_no_type_for_is_named():
    with pytest.raises(PermanentError, match="duration"):
        packaging.schema_of(pa.schema([("took", pa.duration("s"))]))


def test_a_model_with_damaged_files_does_not_become_champion(workshop):
    workshop.made(BETTER)
    run, decision = workshop.judged(BEST)
    version = workshop.registry.register(tiny, run)
    (saved,) = workshop.registry.files(version).rglob("level.json")
    saved.write_text("{")

    with pytest.raises(PermanentError, match=r"level\.json is damaged"):
        workshop.registry.apply(tiny, run, decision)

    assert workshop.in_use == BETTER
    assert workshop.history == [("promoted", 1, 1), ("refused", 2, 1)]


def test_the_example_serves_the_champion(workshop, packages):
    workshop.made(BEST)
    port = free_port()
    command = clean_process.command(
        packages, EXAMPLE, "models:/bsl-tiny@champion", "--tracking-uri", workshop.registry.tracking.uri,
        "--port", str(port),
    )  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **clean_process.apart(packages))
    try:
        assert process.stdout.readline() == f"version 1 of bsl-tiny on http://127.0.0.1:{port}\n"
        rows = INPUTS.slice(10, 2).to_pylist()
        assert asked(port, rows) == (
            200,
            {
                "model": "bsl-tiny/1",
                "answers": [
                    {"is_long": True, "words": ["11", "11"]},
                    {"is_long": True, "words": ["12", "12"]},
                ],
            },
        )
        status, answer = asked(port, [{"nothing": 1}])
        assert (status, "lines" in answer["error"]) == (400, True)
    finally:
        process.kill()
        process.communicate()


def test_the_example_names_the_version_that_answers_also_while_a_new_one_comes(workshop):
    workshop.made(BETTER)
    import mlflow

    example = runpy.run_path(str(EXAMPLE))
    said = []

    class Asked(example["Champion"]):
        """Is asked whenever anything of it changes."""

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if is_asked:
                [answer] = self.answer([{"lines": 10, "module": "Общий"}])["answers"]
                said.append((self.answer([{"lines": 10, "module": "Общий"}])["model"], answer["is_long"]))

        def _watch(self):
            pass

    mlflow.set_tracking_uri(workshop.registry.tracking.uri)
    try:
        is_asked = False
        champion = Asked("models:/bsl-tiny@champion")
        is_asked = True
        champion.look()
        workshop.made(BEST)
        champion.look()
    finally:
        mlflow.set_tracking_uri(None)  # out of the environment, too, which programs that tests start inherit
    assert set(said) == {("bsl-tiny/2", False)}


def asked(port: int, rows: list[dict]) -> tuple[int, dict]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/predict", json.dumps(rows))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("name", tasks.NAMES)
def test_each_task_names_all_that_its_model_needs(name, tmp_path):
    """Also what is imported inside functions, as its `load` and `predict` may do."""
    task = tasks.load(name)
    needed = packaging.needed_modules([task.__name__, records.__name__, served.__name__])
    wanted = {
        top for file in needed.values() for top in imported(ast.parse(file.read_text(encoding="utf-8")))
    }
    names = packaging.requirements([*task.REQUIREMENTS, *records.REQUIREMENTS])

    there = {
        path.name.partition(".")[0] for path in clean_process.linked(names, tmp_path / "packages").iterdir()
    }

    assert wanted - there - sys.stdlib_module_names - {"ai_stack_assets"} - FIT_ONLY == set()


def imported(tree: ast.AST) -> set[str]:
    """Top packages of all imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
