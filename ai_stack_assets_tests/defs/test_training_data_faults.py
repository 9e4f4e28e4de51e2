"""Bad data in a training that has champions, with the real classifier and the real regressor: what a person is told, and that
the champions stay. Without the fault the next run ends well. What machines do to a training: `test_training_faults`.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ai_stack_assets.domain.training.registry import loading
from ai_stack_assets.orchestration import keys
from ai_stack_assets.resources.mlflow import MlflowResource
from ai_stack_assets.resources.stores import PostgresResource
from ai_stack_assets_tests.defs.trainings import WEEK, configure, failed, in_use, train, write_splits
from ai_stack_assets_tests.domain.training import makers
from ai_stack_assets_tests.domain.training.classifier.methods import WORDS
from ai_stack_assets_tests.domain.training.regressor.methods import THINGS, VERBS
from ai_stack_assets_tests.platform import PROJECT, SAMPLE, Platform, metadata

NAMES = ("classifier", "regressor")
LETTERS = "АБВГДЕЖЗИКЛМНПРС"
SPLITS = {"train": LETTERS[:10], "validation": LETTERS[10:13], "test": LETTERS[13:]}
Rows = dict[str, list[dict[str, Any]]]


def subsystem_of(letter: str) -> str:
    return list(WORDS)[LETTERS.index(letter) % 3]


def methods(letter: str, conditions: Callable[[int], int] = lambda usual: usual) -> list[dict[str, Any]]:
    """Of one module: how complex each is follows from its verb, where it belongs from most of its words."""
    chance, made = random.Random(letter), []
    for number in range(24):
        verb, thing = chance.choice(sorted(VERBS)), chance.choice(THINGS)
        words = WORDS[subsystem_of(letter) if chance.random() < 0.7 else chance.choice(list(WORDS))]
        usual = VERBS[verb] + chance.randint(0, 1)
        lines = [f"\t{word}{number} = {word}.{word}();" for word in words]
        lines += ["\tЕсли Сумма = 1 Тогда\n\t\tКурс = 2;\n\tКонецЕсли;"] * conditions(usual)
        name = f"{verb}{thing}{letter}{number}"
        known = {"signature": f"{name}(Знач Сумма, Курс = 1)", "changed_at": None}
        made.append(makers.a_record(name, f"CommonModule.Область{letter}", *lines, **known))
    return made


def dataset(**conditions: Any) -> Rows:
    return {
        split: [row for each in letters for row in methods(each, **conditions)]
        for split, letters in SPLITS.items()
    }


def content(rare: str = "", all_in: str = "") -> Mapping[str, list[str]]:
    """Objects by subsystem. `rare`: one that has this object alone. `all_in`: one for everything."""
    found: dict[str, list[str]] = {}
    for letter in LETTERS:
        found.setdefault(all_in or subsystem_of(letter), []).append(f"CommonModule.Область{letter}")
    return {**found, **({"Редкое": [rare]} if rare else {})}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, servers: str) -> Iterator[Platform]:
    """With a champion of each task. A test leaves it as it found it: the same dataset, the same champions."""
    folder = tmp_path_factory.mktemp("stage")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setattr(loading, "verify", lambda _: None)
        platform = Platform(folder, instance)
        platform.configure(demo=SAMPLE)
        postgres = PostgresResource(data=servers)
        platform.replaced["mlflow"] = MlflowResource(
            data=servers, postgres=postgres, prefix=f"{folder.name}-"
        )
        settle(platform)
        sound(platform)
        first = train(platform)
        assert failed(first) == {}
        yield platform


def settle(platform: Platform, **parameters: Any) -> None:
    limits = "{target: 0.3, resamples: 200}"
    own = {"regressor": {"rounds": 60, "least_rows": 5}, **parameters}
    configure(platform, NAMES, "least_rows: 20", limits, **own)


def sound(platform: Platform) -> None:
    settle(platform)
    makers.a_configuration(platform.data / "lake", content())
    write_splits(platform, "first", dataset())


@pytest.fixture
def champions(stage: Platform) -> Iterator[dict[str, Any]]:
    """Afterwards they are the same, and what was not trained is trained without the fault."""
    before = {name: in_use(stage, name) for name in NAMES}
    yield before
    assert {name: in_use(stage, name) for name in NAMES} == before
    sound(stage)
    after = train(stage, force=True)
    assert failed(after) == {}
    assert {name: in_use(stage, name) for name in NAMES} == before


def test_both_have_champions(champions: dict[str, Any]) -> None:
    assert {name: version for name, (version, _) in champions.items()} == dict.fromkeys(NAMES, "1")


def step(asset: Mapping[str, dg.AssetKey], task: str) -> str:
    return asset[task].to_python_identifier()


def test_a_class_with_one_sample_is_learned_and_counted(stage: Platform, champions: dict[str, Any]) -> None:
    makers.a_configuration(stage.data / "lake", content(rare="CommonModule.Редкий"), version="rare")
    rows = dataset()
    rows["train"].append(makers.a_record("РедкийМетод", "CommonModule.Редкий", changed_at=None))
    write_splits(stage, "rare", rows)
    result = train(stage, force=True)
    assert failed(result) == {}
    log = metadata(result, keys.MODELS["classifier"])["log"]
    assert "4 subsystems have methods to learn from" in log


def test_one_class_alone_turns_its_model_red_and_says_what_to_add(
    stage: Platform, champions: dict[str, Any]
) -> None:
    makers.a_configuration(stage.data / "lake", content(all_in="Всё"), version="one")
    [(red, said)] = failed(train(stage, force=True)).items()
    assert red == step(keys.MODELS, "classifier")
    assert "subsystem: 1 of 1 classes" in said and "add configurations" in said


def test_an_empty_split_turns_the_examples_red_and_names_the_setting(
    stage: Platform, champions: dict[str, Any]
) -> None:
    write_splits(stage, "empty", {**dataset(), "validation": []})
    found = failed(train(stage, force=True))
    assert set(found) == {step(keys.EXAMPLES, name) for name in NAMES}
    for name, said in zip(NAMES, found.values(), strict=True):
        assert f"{name}: the validation set is empty" in said
        assert "raise `splits` in dataset.yaml" in said


def test_a_constant_target_turns_its_examples_red_and_the_other_model_is_trained(
    stage: Platform, champions: dict[str, Any]
) -> None:
    write_splits(stage, "constant", dataset(conditions=lambda _: 2))
    result = train(stage, force=True)
    [(red, said)] = failed(result).items()
    assert red == step(keys.EXAMPLES, "regressor")
    assert "methods have a complexity of 3" in said and "add configurations" in said
    assert metadata(result, keys.MODELS["classifier"])["is_new"]


def test_features_that_are_no_numbers_turn_the_examples_red_and_what_is_said_helps(
    stage: Platform, champions: dict[str, Any]
) -> None:
    features = stage.resources()["lake"].open("training/features")
    spoil(features.current("dataset").path, "comment_share")
    rows = dataset()
    rows["train"] = rows["train"][:-1]
    write_splits(stage, "shorter", rows)
    found = failed(train(stage, force=True))
    assert set(found) == {step(keys.EXAMPLES, name) for name in NAMES}
    for said in found.values():
        assert "comment_share is null or not finite in" in said and "remove" in said
    features.remove("dataset")


def spoil(version: Path, column: str) -> None:
    """All its values become NaN, as code that computes it wrongly would have left them."""
    parts = sorted((version / "features").iterdir())
    for part in parts:
        rows = pq.read_table(part)
        at = rows.schema.get_field_index(column)
        nan = pa.array([float("nan")] * rows.num_rows, rows.schema.field(at).type)
        pq.write_table(rows.set_column(at, rows.schema.field(at), nan), part)
    manifest = msgspec.json.decode((version / "version.json").read_bytes())
    manifest["tables"]["features"]["bytes"] = sum(part.stat().st_size for part in parts)
    (version / "version.json").write_bytes(msgspec.json.encode(manifest))


_FIT = """
import os, signal, sys
from pathlib import Path
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training.pipeline import Training
from ai_stack_assets.domain.training.settings import load
folder = Path(sys.argv[1])
lake = lambda name: Lake(folder / "data" / "lake" / name)
week = Training(lake, sys.argv[2], load(folder / "training.yaml"), folder / "data" / "work" / "training")

def say(line):
    if line.startswith("context:"):
        os.kill(os.getpid(), signal.SIGKILL)

week.model("classifier", say=say)
"""


def test_the_damaged_checkpoint_of_a_killed_fit_is_fitted_anew(
    stage: Platform, champions: dict[str, Any]
) -> None:
    settle(stage, classifier={"c": 0.4})
    command = [sys.executable, "-c", _FIT, str(stage.folder), WEEK]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [damaged] = (stage.data / "work" / "training" / "checkpoints").glob("classifier/*/code.npz")
    damaged.write_bytes(damaged.read_bytes()[:1000])

    result = train(stage, force=True)

    assert failed(result) == {}
    log = metadata(result, keys.MODELS["classifier"])["log"]
    assert "code: fitted again" in log and "code.npz" in log
    assert "place: taken from the checkpoint" in log
