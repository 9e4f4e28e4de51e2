"""When a model is fitted again, and that the one in use outlives it."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake, write_version
from ai_stack_assets.domain.vectorisers import fitting
from ai_stack_assets.domain.vectorisers.fitting import ensure_fitted, load_fitted
from ai_stack_assets_tests.domain.stores.vector_lake import MAIL, lake_version

BODIES = {f"{MAIL}.Метод{i}": f"Письмо{i}.Отправить({i});" for i in range(10)}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


def version_of(tmp_path, changed: int = 0, version_id: str = "v1"):
    bodies = {id_: body + ("Иное();" if i < changed else "") for i, (id_, body) in enumerate(BODIES.items())}
    return lake_version(Lake(tmp_path / "lake"), "Торговля", version_id, bodies)


def test_a_model_is_fitted_once_and_then_used_again(tmp_path, folder):
    first, why = ensure_fitted(version_of(tmp_path), folder)
    assert (why.is_refitted, why.reason, why.drift) == (True, "no model yet", 1.0)
    again, why = ensure_fitted(version_of(tmp_path), folder)
    assert (why.is_refitted, why.drift, again.version) == (False, 0.0, first.version)


def test_a_few_changed_methods_keep_the_model(tmp_path, folder):
    first, _ = ensure_fitted(version_of(tmp_path), folder)
    second, why = ensure_fitted(version_of(tmp_path, 2, "v2"), folder)
    assert (second.version, why.is_refitted, why.drift) == (first.version, False, 0.2)


def test_many_changed_methods_fit_it_again_and_the_reason_is_told(tmp_path, folder):
    first, _ = ensure_fitted(version_of(tmp_path), folder)
    second, why = ensure_fitted(version_of(tmp_path, 3, "v2"), folder)
    assert second.version != first.version
    assert why.reason == "30% of the methods are new since the last fit"


def test_a_corpus_that_shrinks_or_vanishes_does_not_drift(tmp_path, folder):
    first, _ = ensure_fitted(version_of(tmp_path), folder)
    empty = write_version(Lake(tmp_path / "lake"), "Торговля", {}, "v2")
    second, why = ensure_fitted(empty, folder)
    assert (second.version, why.is_refitted) == (first.version, False)


def test_on_request_it_is_fitted_again_to_the_same_bytes(tmp_path, folder):
    first, _ = ensure_fitted(version_of(tmp_path), folder)
    second, why = ensure_fitted(version_of(tmp_path), folder, refit=True)
    assert (second.version, why.reason) == (first.version, "on request")


@pytest.mark.parametrize("name", ["TEXTS_VERSION"])
def test_other_texts_need_another_model(tmp_path, folder, monkeypatch, name):
    ensure_fitted(version_of(tmp_path), folder)
    monkeypatch.setattr(fitting, name, "other")
    assert ensure_fitted(version_of(tmp_path), folder)[1].is_refitted


def test_a_damaged_model_is_fitted_again(tmp_path, folder):
    first, _ = ensure_fitted(version_of(tmp_path), folder)
    (folder / f"lsa-{first.version}.npz").write_bytes(b"garbage")
    second, why = ensure_fitted(version_of(tmp_path), folder)
    assert why.is_refitted
    assert "is damaged" in why.reason
    assert second.version == first.version


def test_older_models_stay_for_what_they_have_published_but_not_for_ever(tmp_path, folder):
    versions = [
        ensure_fitted(version_of(tmp_path, n, f"v{n}"), folder, refit=True)[0].version for n in range(5)
    ]
    kept = versions[-fitting.KEPT_MODELS :]
    assert [load_fitted(folder, v).version for v in kept] == kept
    with pytest.raises(PermanentError, match="fit the vectoriser first"):
        load_fitted(folder, versions[0])


def test_no_model_at_all_says_so(folder):
    with pytest.raises(PermanentError, match="fit the vectoriser first"):
        load_fitted(folder)
