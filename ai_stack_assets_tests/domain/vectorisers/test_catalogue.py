"""Choosing a vectoriser by its settings, the cache of the dear ones, and the optional package."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.vectorisers.cache import Cached
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers, VectoriserSettings
from ai_stack_assets.domain.vectorisers.sentence_transformers import SentenceTransformers
from ai_stack_assets_tests.domain.stores.vector_lake import lake_version


class Counting:
    """Vectors of two numbers; remembers what it was asked."""

    name, version, size = "counting", "1", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_documents(self, texts):
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32).reshape(-1, 2)

    encode_queries = encode_documents


def test_a_text_is_encoded_once_ever(tmp_path):
    first, second = Counting(), Counting()
    vectors = Cached(first, tmp_path).encode_documents(["а", "бб", "а"])
    again = Cached(second, tmp_path).encode_documents(["бб", "в", "а"])
    assert (first.asked, second.asked) == (["а", "бб"], ["в"])
    assert vectors.tolist() == [[1, 1], [2, 1], [1, 1]]
    assert again.tolist() == [[2, 1], [1, 1], [1, 1]]


def test_another_version_shares_no_vectors(tmp_path):
    Cached(Counting(), tmp_path).encode_documents(["а"])
    other = Counting()
    other.version = "2"
    Cached(other, tmp_path).encode_documents(["а"])
    assert other.asked == ["а"]


def test_no_texts_are_no_vectors(tmp_path):
    assert Cached(Counting(), tmp_path).encode_documents([]).shape == (0, 2)


def test_what_was_paid_for_before_an_interruption_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("ai_stack_assets.domain.vectorisers.cache._PER_WRITE", 1)

    class Failing(Counting):
        def encode_documents(self, texts):
            if texts == ["в"]:
                raise KeyboardInterrupt
            return super().encode_documents(texts)

    with pytest.raises(KeyboardInterrupt):
        Cached(Failing(), tmp_path).encode_documents(["а", "б", "в"])
    after = Counting()
    Cached(after, tmp_path).encode_documents(["а", "б", "в"])
    assert after.asked == ["в"]


def test_an_unknown_name_lists_those_that_there_are(tmp_path):
    with pytest.raises(PermanentError, match="champion, lsa, sentence-transformers, openai"):
        Vectorisers(tmp_path, VectoriserSettings("word2vec"))


def test_the_default_is_fitted_per_configuration(tmp_path):
    vectorisers = Vectorisers(tmp_path / "vectorisers")
    fitted, why = vectorisers.ensure(lake_version(Lake(tmp_path / "lake"), "Торговля", "v1"))
    assert (why.name, why.is_refitted) == ("lsa", True)
    assert vectorisers.current("Торговля").version == fitted.version
    assert vectorisers.load("Торговля", "lsa", fitted.version).version == fitted.version
    with pytest.raises(PermanentError, match="fit the vectoriser first"):
        vectorisers.current("Склад")


def test_a_remote_one_is_ready_without_fitting(tmp_path):
    settings = VectoriserSettings("openai", "small", "http://127.0.0.1:9", dimensions=4)
    vectorisers = Vectorisers(tmp_path, settings)
    chosen, why = vectorisers.ensure(lake_version(Lake(tmp_path / "lake"), "Торговля", "v1"))
    assert (chosen.size, why.is_refitted) == (4, False)
    assert vectorisers.load("Торговля", "openai", chosen.version).version == chosen.version


def test_queries_never_go_to_another_vectoriser_than_the_published_one(tmp_path):
    vectorisers = Vectorisers(tmp_path, VectoriserSettings("openai", "small", dimensions=4))
    with pytest.raises(PermanentError, match="made by openai 0123"):
        vectorisers.load("Торговля", "openai", "0123")
    with pytest.raises(PermanentError, match="made by sentence-transformers 0123"):
        vectorisers.load("Торговля", "sentence-transformers", "0123")


def test_the_api_key_is_not_printed():
    assert "sk-secret" not in repr(VectoriserSettings("openai", "small", api_key="sk-secret"))


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(PermanentError, match="pip install sentence-transformers"):
        SentenceTransformers("some/model").encode_queries(["а"])


def with_package(monkeypatch, model_class: type) -> None:
    package = ModuleType("sentence_transformers")
    package.SentenceTransformer = model_class  # ty: ignore[missing-attribute]
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)


def test_missing_weights_name_the_setting(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(f"{name} is not a local folder and is not a valid model identifier")

    with_package(monkeypatch, missing)  # ty: ignore[invalid-argument-type]
    with pytest.raises(PermanentError, match="VECTORISER_MODEL"):
        SentenceTransformers("some/model").encode_queries(["а"])


def test_queries_and_documents_are_encoded_by_their_own_methods(monkeypatch):
    class Model:
        def __init__(self, name: str) -> None:
            pass

        def get_sentence_embedding_dimension(self) -> int:
            return 2

        def encode_query(self, texts, **_):
            return np.array([[3.0, 0.0]] * len(texts))

        def encode_document(self, texts, **_):
            return np.array([[0.0, 4.0]] * len(texts))

    with_package(monkeypatch, Model)
    vectoriser = SentenceTransformers("some/model")
    assert vectoriser.size == 2
    assert vectoriser.encode_queries(["а"]).tolist() == [[1, 0]]
    assert vectoriser.encode_documents(["а", "б"]).tolist() == [[0, 1], [0, 1]]


def test_a_folder_with_other_weights_is_another_version(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = SentenceTransformers(str(tmp_path)).version
    assert SentenceTransformers(str(tmp_path)).version == before
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert SentenceTransformers(str(tmp_path)).version != before


@pytest.mark.parametrize("name", ["openai", "sentence-transformers"])
def test_a_model_must_be_named(tmp_path, name):
    with pytest.raises(PermanentError, match="VECTORISER_MODEL"):
        Vectorisers(tmp_path, VectoriserSettings(name)).current("Торговля")
