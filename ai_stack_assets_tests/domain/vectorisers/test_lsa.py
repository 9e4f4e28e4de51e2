"""The default vectoriser: what is near what, and that equal corpora give equal bytes."""

from __future__ import annotations

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.vectorisers import lsa
from ai_stack_assets.domain.vectorisers.lsa import LARGE, Lsa

TEXTS = [
    "Отправить Письмо\nОтправляет письмо по электронной почте\nПочта.Отправить(Письмо)",
    "Получить Почту\nПочта.Получить(Письма)",
    "Загрузить Курсы Валют\nКурсы валют с сайта банка\nКурсыВалют.Записать()",
    "Курс Валюты\nВозврат КурсыВалют.Курс",
]


def nearest(model: Lsa, query: str) -> int:
    return int((model.encode_documents(TEXTS) @ model.encode_queries([query])[0]).argmax())


def test_identifiers_are_found_by_words_in_another_form():
    model = Lsa.fit([TEXTS])
    assert nearest(model, "письма электронной почтой отправлены") == 0
    assert nearest(model, "загрузить КурсыВалют") == 2


def test_vectors_are_float32_of_length_one():
    vectors = Lsa.fit([TEXTS]).encode_documents(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_without_known_words_is_a_row_of_zeros_and_spoils_no_other():
    model = Lsa.fit([TEXTS])
    vectors = model.encode_documents(["zzz", TEXTS[0], "", "***"])
    assert not vectors[[0, 2, 3]].any()
    assert np.allclose(vectors[1], model.encode_documents(TEXTS)[0], atol=1e-6)


def test_the_same_corpus_gives_the_same_bytes_however_it_is_batched():
    whole = Lsa.fit([TEXTS]).to_bytes()
    assert Lsa.fit([TEXTS]).to_bytes() == whole
    assert Lsa.fit([TEXTS[:1], [], TEXTS[1:]]).to_bytes() == whole


def test_another_corpus_is_another_version():
    assert Lsa.fit([TEXTS]).version != Lsa.fit([TEXTS[:-1]]).version


def test_a_loaded_model_is_the_one_that_was_saved(tmp_path):
    model = Lsa.fit([TEXTS], seen=np.array([3, 5], np.uint64))
    (tmp_path / "model.npz").write_bytes(model.to_bytes())
    loaded = Lsa.load(tmp_path / "model.npz")
    assert loaded.version == model.version
    assert np.array_equal(loaded.encode_documents(TEXTS), model.encode_documents(TEXTS))


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04garbage"])
def test_a_damaged_model_is_an_error_that_says_what_to_do(tmp_path, content):
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(PermanentError, match="remove it"):
        Lsa.load(tmp_path / "model.npz")


@pytest.mark.parametrize("batches", [[], [[]], [[""]], [["*** ()"]], [["слово"]]])
def test_a_corpus_of_almost_nothing_is_no_error(batches):
    model = Lsa.fit(batches)
    assert model.encode_documents(["слово", ""]).shape == (2, model.size)
    assert model.encode_documents([]).shape == (0, model.size)


def test_a_large_corpus_drops_what_is_too_rare_and_too_common():
    texts = [f"Возврат слово{'абвгдежзик'[i % 10]}" for i in range(LARGE)] + ["редкость"]
    assert set(Lsa.fit([texts]).stems).isdisjoint({"редкост", "возврат"})


def test_data_in_string_literals_is_no_word():
    assert Lsa.fit([["Картинка " + "QUJDREVGRw" * 100_000]]).stems == ["картинк"]


def test_the_size_is_bounded_by_what_the_corpus_can_tell():
    assert Lsa.fit([TEXTS]).size <= len(TEXTS)
    texts = [f"метод{a}{b} поле{b} форма{a}" for a in "абвгдежзикл" for b in "мнопрстуфхц"]
    assert Lsa.fit([texts], size=8).size == 8


def test_a_very_large_corpus_is_sampled_evenly_but_its_stems_are_counted_in_all(monkeypatch):
    monkeypatch.setattr(lsa, "MAX_FIT_ROWS", 300)
    texts = [f"поле{a} форма{b}" for a in "абвгдежзиклмнопрст" for b in "уфхцчшыэюя"] * 6
    whole, sampled = Lsa.fit([texts]), Lsa.fit([texts[:77], texts[77:]], texts=len(texts))
    assert (sampled.stems, sampled.idf.tolist()) == (whole.stems, whole.idf.tolist())
    assert sampled.components.shape == whole.components.shape
    assert sampled.components.tolist() == Lsa.fit([texts], texts=len(texts)).components.tolist()
    assert sampled.components.tolist() != whole.components.tolist()
