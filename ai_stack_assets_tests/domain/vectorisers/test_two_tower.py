"""The champion of the training stage as the vectoriser: adopted from the registry, kept, and LSA until there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
from ai_stack_assets.domain.stores.vectors.store import VectorStores
from ai_stack_assets.domain.training.embeddings import task
from ai_stack_assets.domain.training.embeddings.two_tower import TwoTower
from ai_stack_assets.domain.vectorisers import champion
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers, VectoriserSettings
from ai_stack_assets.domain.vectorisers.texts import method_text
from ai_stack_assets.domain.vectorisers.two_tower import TwoTowerVectoriser
from ai_stack_assets_tests.domain.stores.vector_lake import lake_version
from ai_stack_assets_tests.domain.training.embeddings.corpus import TUNED, sets


@pytest.fixture(scope="module")
def models() -> list[TwoTower]:
    """Two champions, the second one fitted later."""
    small = sets()
    return [task.fit(small, {**TUNED, "steps": 20}, seed=seed, progress=lambda _: None) for seed in (1, 2)]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return lake_version(Lake(tmp_path / "lake"), "Торговля", "v1")


class Answers:
    """A registry that answers with the champion of now."""

    def __init__(self, now: TwoTower | Exception | None = None) -> None:
        self.now = now

    def __call__(self) -> TwoTower | None:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def test_a_description_is_near_to_the_method_that_it_is_of(models: list[TwoTower]) -> None:
    vectoriser = TwoTowerVectoriser(models[0])
    rows = sets().train
    texts = [
        method_text(name, "", code)
        for name, code in zip(rows["method_name"].to_pylist(), rows["code"].to_pylist(), strict=True)
    ]
    vectors = vectoriser.encode_documents(texts)
    assert vectors.shape == (rows.num_rows, vectoriser.size)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    best = texts[int(np.argmax(vectors @ vectoriser.encode_queries(["полномочия сотрудника"])[0]))]
    assert "Права Пользователя" in best


def test_the_version_follows_the_model(models: list[TwoTower]) -> None:
    first, second = map(TwoTowerVectoriser, models)
    assert first.version == TwoTowerVectoriser(models[0]).version != second.version


def test_lsa_is_used_until_there_is_a_champion_and_never_once_it_was_adopted(
    tmp_path: Path, version: Version, models: list[TwoTower]
) -> None:
    registry = Answers()
    vectorisers = Vectorisers(tmp_path / "vectorisers", registered=registry)
    assert vectorisers.ensure(version)[0].name == "lsa"
    registry.now = models[0]
    chosen, why = vectorisers.ensure(version)
    assert (chosen.name, why.is_refitted) == ("two-tower", True)
    assert vectorisers.current("Торговля").version == chosen.version
    assert not vectorisers.ensure(version)[1].is_refitted
    registry.now = None
    assert vectorisers.ensure(version)[0].version == chosen.version


def test_a_new_champion_and_one_that_was_rolled_back_to_are_adopted(
    tmp_path: Path, version: Version, models: list[TwoTower]
) -> None:
    registry = Answers()
    vectorisers = Vectorisers(tmp_path / "vectorisers", registered=registry)
    versions = []
    for registry.now in (*models, models[0]):
        chosen, why = vectorisers.ensure(version)
        assert why.is_refitted
        versions.append(chosen.version)
    assert versions[0] == versions[2] != versions[1]
    assert vectorisers.load("Торговля", "two-tower", versions[1]).version == versions[1]


def test_a_registry_that_is_away_changes_nothing_once_there_was_a_champion(
    tmp_path: Path, version: Version, models: list[TwoTower]
) -> None:
    registry = Answers(TransientError("MLflow is away"))
    vectorisers = Vectorisers(tmp_path / "vectorisers", registered=registry)
    with pytest.raises(TransientError):
        vectorisers.ensure(version)
    registry.now = models[0]
    first = vectorisers.ensure(version)[0]
    registry.now = TransientError("MLflow is away")
    chosen, why = vectorisers.ensure(version)
    assert chosen.version == first.version
    assert "MLflow is away" in why.reason


def test_who_asks_for_lsa_gets_no_champion(tmp_path: Path, version: Version, models: list[TwoTower]) -> None:
    vectorisers = Vectorisers(tmp_path, VectoriserSettings("lsa"), registered=Answers(models[0]))
    assert vectorisers.ensure(version)[0].name == "lsa"


def test_machines_share_champions_through_the_bucket(
    bucket_url: str, tmp_path: Path, version: Version, models: list[TwoTower]
) -> None:
    here, there = (
        Vectorisers(
            tmp_path / name,
            bucket=Bucket(bucket_url),
            registered=Answers(models[0] if name == "a" else None),
        )
        for name in "ab"
    )
    chosen, _ = here.ensure(version)
    assert there.current("Торговля").version == chosen.version
    assert there.load("Торговля", "two-tower", chosen.version).version == chosen.version


def test_a_champion_that_is_not_kept_any_more_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="synchronise"):
        champion.Champions(tmp_path).load("0123456789ab")


def test_where_nobody_trained_mlflow_is_not_asked(tmp_path: Path) -> None:
    assert champion.registered(tmp_path / "mlflow") is None
    assert not (tmp_path / "mlflow").exists()


def test_the_champion_is_the_one_that_mlflow_names(tmp_path: Path, models: list[TwoTower]) -> None:
    from ai_stack_assets.domain.training.registry.registry import Fit, Registry
    from ai_stack_assets.domain.training.registry.tracking import Tracking

    mlflow, files = tmp_path / "mlflow", tmp_path / "files"
    files.mkdir()
    models[0].save(files)
    tracking = Tracking(mlflow)
    registry = Registry(tracking, None)
    run = registry.log(Fit(task, files, sets().test.slice(0, 3), {}))
    made = registry.register(task, run)
    assert champion.registered(mlflow) is None
    with tracking.open() as client:
        client.set_registered_model_alias(made.model, champion.ALIAS, made.version)
    found = champion.registered(mlflow)
    assert found is not None and found.version == models[0].version


def test_a_new_champion_writes_all_vectors_anew_and_readers_ask_by_the_one_that_wrote(
    tmp_path: Path, version: Version, models: list[TwoTower]
) -> None:
    from ai_stack_assets.domain.stores.sync import synchronise

    registry = Answers(models[0])
    vectorisers = Vectorisers(tmp_path / "vectorisers", registered=registry)
    stores = VectorStores(EdgeEngine(tmp_path / "vectors"), vectorisers)
    for expected in (True, False, True):
        vectorisers.ensure(version)
        with stores.open("Торговля") as store:
            report = synchronise(store, version)
        written = report.total("added") + report.total("changed")
        assert bool(written) == expected
        assert stores.similar("Торговля", text="раздел указанного права", limit=1)
        if not expected:
            registry.now = models[1]
