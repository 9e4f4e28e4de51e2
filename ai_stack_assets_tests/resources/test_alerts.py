"""The webhook: sent, refused, away. Its address is a secret and is never told."""

from __future__ import annotations

import traceback

import httpx
import pytest

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.resources.alerts import AlertsResource

URL = "https://hooks.example.com/services/sekret"


def answering(monkeypatch: pytest.MonkeyPatch, answer: int | Exception) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, request=request)

    client = httpx.Client(transport=httpx.MockTransport(handle))
    monkeypatch.setattr(httpx, "post", client.post)


def test_a_message_that_is_taken_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 200)
    assert AlertsResource(url=URL).send("text")
    assert not AlertsResource().send("text")


@pytest.mark.parametrize(
    ("answer", "said"),
    [(403, "403"), (302, "302"), (httpx.ConnectError(f"no way to {URL}"), "ConnectError")],
    ids=["refused", "sent elsewhere", "away"],
)
def test_a_webhook_that_fails_is_named_by_its_setting_and_not_by_its_address(
    monkeypatch: pytest.MonkeyPatch, answer: int | Exception, said: str
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(TransientError, match=f"ALERT_WEBHOOK_URL.*{said}") as caught:
        AlertsResource(url=URL).send("text")
    shown = "".join(traceback.format_exception(caught.value))
    assert "sekret" not in shown


def test_an_address_that_is_none_is_not_told_either() -> None:
    with pytest.raises(TransientError, match="ALERT_WEBHOOK_URL") as caught:
        AlertsResource(url=URL.replace("/services/", ":")).send("text")
    assert "sekret" not in "".join(traceback.format_exception(caught.value))
