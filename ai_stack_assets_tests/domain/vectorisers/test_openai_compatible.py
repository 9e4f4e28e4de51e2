"""The HTTP vectoriser against a local server that answers as the API does, errors included."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.vectorisers import openai_compatible
from ai_stack_assets.domain.vectorisers.catalogue import VectoriserSettings
from ai_stack_assets.domain.vectorisers.openai_compatible import ATTEMPTS, MAX_CHARACTERS, OpenAiCompatible
from ai_stack_assets_tests.servers.http import HttpDouble, Request


class Endpoint(HttpDouble):
    """Answers vectors of three numbers; `script` holds (status, headers, body) to answer first."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[tuple[int, dict[str, str], Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.url += "/v1"

    def respond(self, request: Request) -> None:
        body = json.loads(request.body())
        self.requests.append({"path": request.path, **body})
        self.keys.append(request.headers.get("authorization"))
        status, headers, answer = self.script.pop(0) if self.script else (200, {}, vectors_for(body))
        request.send(status, answer, headers)


def vectors_for(body: dict[str, Any]) -> dict[str, Any]:
    """Out of order, as the API is allowed to."""
    size = body.get("dimensions", 3)
    data = [
        {"index": i, "embedding": [len(text), 2.0] + [0.0] * (size - 2)}
        for i, text in enumerate(body["input"])
    ]
    return {"object": "list", "model": body["model"], "data": data[::-1], "usage": {}}


def an_error(
    status: int, message: str = "no", code: str = "", **headers: str
) -> tuple[int, dict[str, str], Any]:
    return (
        status,
        {k.replace("_", "-"): v for k, v in headers.items()},
        {"error": {"message": message, "code": code}},
    )


@pytest.fixture
def endpoint():
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def vectoriser(endpoint, pauses):
    settings = VectoriserSettings("openai", "small", endpoint.url, "sk-secret")
    return OpenAiCompatible(settings, sleep=pauses.append)


def test_vectors_come_back_in_the_order_of_texts_with_length_one(endpoint, vectoriser):
    vectors = vectoriser.encode_documents(["а", "аааа"])
    expected = np.array([[1, 2, 0], [4, 2, 0]]) / np.sqrt([[5], [20]])
    assert np.allclose(vectors, expected)
    assert vectors.dtype == np.float32
    assert vectoriser.size == 3
    assert endpoint.requests[0] | {"input": 0} == {
        "path": "/v1/embeddings", "model": "small", "input": 0, "encoding_format": "float",
    }  # fmt: skip
    assert endpoint.keys[0] == "Bearer sk-secret"


def test_without_a_key_none_is_sent(endpoint):
    OpenAiCompatible(VectoriserSettings("openai", "small", endpoint.url)).encode_queries(["а"])
    assert endpoint.keys == [None]


def test_the_wished_size_is_sent_and_known_without_asking(endpoint):
    vectoriser = OpenAiCompatible(VectoriserSettings("openai", "small", endpoint.url, dimensions=5))
    assert (vectoriser.size, endpoint.requests) == (5, [])
    assert vectoriser.encode_documents(["а"]).shape == (1, 5)
    assert vectoriser.encode_documents([]).shape == (0, 5)


def test_many_texts_travel_in_bounded_batches_and_long_ones_are_cut(endpoint, vectoriser, monkeypatch):
    monkeypatch.setattr(openai_compatible, "TEXTS_PER_REQUEST", 3)
    monkeypatch.setattr(openai_compatible, "CHARACTERS_PER_REQUEST", 2 * MAX_CHARACTERS)
    texts = ["а"] * 4 + ["б" * 10 * MAX_CHARACTERS] * 3 + [""]
    assert vectoriser.encode_documents(texts).shape == (8, 3)
    assert [len(r["input"]) for r in endpoint.requests] == [3, 2, 2, 1]
    assert max(len(text) for r in endpoint.requests for text in r["input"]) == MAX_CHARACTERS
    assert endpoint.requests[-1]["input"] == [" "]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_error_is_waited_out(endpoint, vectoriser, pauses, status):
    endpoint.script = [an_error(status), an_error(status)]
    assert vectoriser.encode_documents(["а"]).shape == (1, 3)
    assert pauses == [1.0, 2.0]


def test_the_pause_is_the_one_that_the_server_asks_for_within_reason(endpoint, vectoriser, pauses):
    past = formatdate(0, usegmt=True)
    endpoint.script = [an_error(429, Retry_After=value) for value in ("7", "100000", past, "soon")]
    vectoriser.encode_documents(["а"])
    assert pauses == [7.0, 60.0, 0.0, 8.0]


def test_a_server_that_stays_down_is_transient_and_names_the_setting(endpoint, vectoriser, pauses):
    endpoint.script = [an_error(503, "down")] * 9
    with pytest.raises(TransientError, match=f"VECTORISER_URL.*failed {ATTEMPTS} times, at last: 503 down"):
        vectoriser.encode_documents(["а"])
    assert len(pauses) == ATTEMPTS - 1


def test_a_server_that_is_not_there_is_transient(pauses):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(TransientError, match="VECTORISER_URL"):
        OpenAiCompatible(VectoriserSettings("openai", "m", url), sleep=pauses.append).encode_queries(["а"])


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (an_error(401, "bad key"), "bad key; check VECTORISER_API_KEY"),
        (an_error(403), "VECTORISER_API_KEY"),
        (an_error(404, "no such model"), "no such model; check VECTORISER_URL, VECTORISER_MODEL"),
        (an_error(400), "VECTORISER_MODEL"),
        (an_error(429, "pay first", "insufficient_quota"), "pay first"),
        ((200, {}, b"<html>"), "does not answer as the embeddings API"),
        ((200, {}, {"data": [{"index": 0}]}), "does not answer as the embeddings API"),
        ((200, {}, {"data": []}), "0 vectors to 1 texts"),
    ],
)
def test_an_error_that_waiting_cannot_help_is_permanent_and_never_repeated(
    endpoint, vectoriser, pauses, answer, names
):
    endpoint.script = [answer]
    with pytest.raises(PermanentError, match=names) as raised:
        vectoriser.encode_documents(["а"])
    assert (len(endpoint.requests), pauses) == (1, [])
    assert "sk-secret" not in str(raised.value)


def test_vectors_of_another_size_than_wished_are_refused(endpoint):
    vectoriser = OpenAiCompatible(VectoriserSettings("openai", "small", endpoint.url, dimensions=5))
    endpoint.script = [(200, {}, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})]
    with pytest.raises(PermanentError, match="VECTORISER_DIMENSIONS"):
        vectoriser.encode_documents(["а"])


def test_the_version_follows_what_decides_the_vectors_and_not_the_key():
    def version(**settings: Any) -> str:
        return OpenAiCompatible(replace(VectoriserSettings("openai", "small"), **settings)).version

    assert version(api_key="a") == version(api_key="b")
    assert len({version(), version(model="large"), version(base_url="http://x"), version(dimensions=8)}) == 4


def test_without_a_model_the_setting_is_named():
    with pytest.raises(PermanentError, match="VECTORISER_MODEL"):
        OpenAiCompatible(VectoriserSettings("openai"))
