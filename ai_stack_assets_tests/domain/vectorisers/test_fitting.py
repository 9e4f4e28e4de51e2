"""When a model is fitted again, and that the one in use outlives it."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, write_version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.vectorisers import fitting
from ai_stack_assets.domain.vectorisers.fitting import ensure_fitted
from ai_stack_assets.domain.vectorisers.models import KEPT_MODELS, Models
from ai_stack_assets_tests.domain.stores.vector_lake import MAIL, lake_version

BODIES = {f"{MAIL}.Метод{i}": f"Письмо{i}.Отправить({i});" for i in range(10)}


@pytest.fixture(params=["folder", "bucket"])
def models(request, tmp_path):
    url = request.param == "bucket" and request.getfixturevalue("bucket_url")
    return Models(tmp_path / "models", Bucket(url) if url else None)


def version_of(tmp_path, changed: int = 0, version_id: str = "v1"):
    bodies = {id_: body + ("Иное();" if i < changed else "") for i, (id_, body) in enumerate(BODIES.items())}
    return lake_version(Lake(tmp_path / "lake"), "Торговля", version_id, bodies)


def test_a_model_is_fitted_once_and_then_used_again(tmp_path, models):
    first, why = ensure_fitted(version_of(tmp_path), models)
    assert (why.is_refitted, why.reason, why.drift) == (True, "no model yet", 1.0)
    again, why = ensure_fitted(version_of(tmp_path), models)
    assert (why.is_refitted, why.drift, again.version) == (False, 0.0, first.version)


def test_a_few_changed_methods_keep_the_model(tmp_path, models):
    first, _ = ensure_fitted(version_of(tmp_path), models)
    second, why = ensure_fitted(version_of(tmp_path, 2, "v2"), models)
    assert (second.version, why.is_refitted, why.drift) == (first.version, False, 0.2)


def test_many_changed_methods_fit_it_again_and_the_reason_is_told(tmp_path, models):
    first, _ = ensure_fitted(version_of(tmp_path), models)
    second, why = ensure_fitted(version_of(tmp_path, 3, "v2"), models)
    assert second.version != first.version
    assert why.reason == "30% of the methods are new since the last fit"


def test_a_corpus_that_shrinks_or_vanishes_does_not_drift(tmp_path, models):
    first, _ = ensure_fitted(version_of(tmp_path), models)
    empty = write_version(Lake(tmp_path / "lake"), "Торговля", {}, "v2")
    second, why = ensure_fitted(empty, models)
    assert (second.version, why.is_refitted) == (first.version, False)


def test_on_request_it_is_fitted_again_to_the_same_bytes(tmp_path, models):
    first, _ = ensure_fitted(version_of(tmp_path), models)
    second, why = ensure_fitted(version_of(tmp_path), models, refit=True)
    assert (second.version, why.reason) == (first.version, "on request")


@pytest.mark.parametrize("name", ["TEXTS_VERSION"])
def test_other_texts_need_another_model(tmp_path, models, monkeypatch, name):
    ensure_fitted(version_of(tmp_path), models)
    monkeypatch.setattr(fitting, name, "other")
    assert ensure_fitted(version_of(tmp_path), models)[1].is_refitted


def test_a_damaged_model_is_fitted_again(tmp_path, models):
    first, _ = ensure_fitted(version_of(tmp_path), models)
    (models.folder / f"lsa-{first.version}.npz").write_bytes(b"garbage")
    second, why = ensure_fitted(version_of(tmp_path), models)
    assert why.is_refitted
    assert "is damaged" in why.reason
    assert second.version == first.version


def test_older_models_stay_for_what_they_have_published_but_not_for_ever(tmp_path, models):
    versions = [
        ensure_fitted(version_of(tmp_path, n, f"v{n}"), models, refit=True)[0].version for n in range(5)
    ]
    kept = versions[-KEPT_MODELS:]
    assert [models.load(v).version for v in kept] == kept
    with pytest.raises(PermanentError, match="fit the vectoriser first"):
        Models(models.folder).load(versions[0])


def test_no_model_at_all_says_so(models):
    with pytest.raises(PermanentError, match="fit the vectoriser first"):
        models.load()


def test_a_model_fitted_on_one_machine_is_used_on_another(tmp_path, bucket_url):
    here, there = (Models(tmp_path / name, Bucket(bucket_url)) for name in ("here", "there"))
    fitted, _ = ensure_fitted(version_of(tmp_path), here)
    assert there.load().version == fitted.version
    again, why = ensure_fitted(version_of(tmp_path), there)
    assert (again.version, why.is_refitted) == (fitted.version, False)
    # what was published by an older model is still asked through it
    newer, _ = ensure_fitted(version_of(tmp_path, 5, "v2"), there)
    assert here.load().version == newer.version != fitted.version
    assert here.load(fitted.version).version == fitted.version
