"""Vectors from an endpoint that speaks the OpenAI embeddings API: OpenAI itself, vLLM, TEI, Ollama, a
gateway.

POST <base_url>/embeddings {"model", "input": [...], "encoding_format": "float"}. Retried on 429, 5xx and a
lost connection only, a few times and with the pause that the server asks for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.vectorisers.contract import VERSION_LENGTH, unit

if TYPE_CHECKING:
    import httpx
    import numpy as np

    from ai_stack_assets.domain.vectorisers.catalogue import VectoriserSettings

ATTEMPTS = 5
MAX_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 60.0
TEXTS_PER_REQUEST = 128
CHARACTERS_PER_REQUEST = 200_000
MAX_CHARACTERS = 6_000
"""Of one text. Cyrillic code takes up to 1.3 tokens a character, models take 8,191 tokens."""


class OpenAiCompatible:
    name = "openai"

    def __init__(self, settings: VectoriserSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        if not settings.model:
            raise PermanentError("VECTORISER=openai needs VECTORISER_MODEL: the name of an embedding model")
        self.settings, self._sleep, self._size = settings, sleep, settings.dimensions

    @property
    def version(self) -> str:
        s = self.settings
        return sha256_hex(f"{s.base_url}\n{s.model}\n{s.dimensions}\n{MAX_CHARACTERS}".encode())[
            :VERSION_LENGTH
        ]

    @property
    def size(self) -> int:
        """As set, else as the endpoint answers."""
        return self._size or self.encode_queries(["1С"]).shape[1]

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        rows = [vector for part in _requests(texts) for vector in self._embed(part)]
        if rows and self._size is None:
            self._size = len(rows[0])
        if wrong := {len(row) for row in rows} - {self._size}:
            raise PermanentError(
                f"{self._url} gives vectors of {min(wrong)} numbers, not {self.size}: "
                "check VECTORISER_DIMENSIONS"
            )
        return unit(np.asarray(rows, np.float32).reshape(len(texts), self.size))

    encode_queries = encode_documents

    def _embed(self, texts: list[str]) -> list[list[float]]:
        body: dict[str, Any] = {"model": self.settings.model, "input": texts, "encoding_format": "float"}
        if self.settings.dimensions:
            body["dimensions"] = self.settings.dimensions
        response = self._post(body)
        try:
            data = sorted(response.json()["data"], key=lambda item: item["index"])
            vectors = [[float(x) for x in item["embedding"]] for item in data]
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentError(
                f"{self._url} does not answer as the embeddings API does ({error!r}): check VECTORISER_URL"
            ) from error
        if len(vectors) != len(texts):
            raise PermanentError(
                f"{self._url} answered {len(vectors)} vectors to {len(texts)} texts: check VECTORISER_URL"
            )
        return vectors

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        import httpx

        problem = ""
        for attempt in range(ATTEMPTS):
            try:
                response = self._client.post(self._url, json=body)
            except httpx.TransportError as error:
                problem, pause = repr(error), None
            except httpx.InvalidURL as error:
                raise PermanentError(f"{self._url} is no URL: check VECTORISER_URL") from error
            else:
                if response.is_success:
                    return response
                problem, pause = _problem(response), _retry_after(response)
                if not _is_transient(response):
                    setting = (
                        "VECTORISER_API_KEY"
                        if response.status_code in (401, 403)
                        else "VECTORISER_URL, VECTORISER_MODEL"
                    )
                    raise PermanentError(f"{self._url} refuses: {problem}; check {setting}")
            if attempt < ATTEMPTS - 1:
                self._sleep(min(MAX_PAUSE_SECONDS, pause if pause is not None else 2.0**attempt))
        raise TransientError(f"{self._url} (VECTORISER_URL) failed {ATTEMPTS} times, at last: {problem}")

    @property
    def _url(self) -> str:
        return self.settings.base_url.rstrip("/") + "/embeddings"

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        headers = {"Authorization": f"Bearer {self.settings.api_key}"} if self.settings.api_key else {}
        return httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS)


def _requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts cut to what a model takes, in batches that a server takes. Some refuse an empty one."""
    part: list[str] = []
    characters = 0
    for text in texts:
        cut = text[:MAX_CHARACTERS] or " "
        if part and (len(part) >= TEXTS_PER_REQUEST or characters + len(cut) > CHARACTERS_PER_REQUEST):
            yield part
            part, characters = [], 0
        part.append(cut)
        characters += len(cut)
    if part:
        yield part


def _is_transient(response: httpx.Response) -> bool:
    """A spent quota is answered with 429 too, and no waiting helps."""
    code = response.status_code
    return code >= 500 or (code == 429 and "insufficient_quota" not in response.text)


def _problem(response: httpx.Response) -> str:
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text
    return f"{response.status_code} {str(message)[:300]}"


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from a number or from a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
