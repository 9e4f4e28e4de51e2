"""Where people hear of what went wrong: a webhook that takes `{"text": …}`, as Slack's, Mattermost's and others' do."""

from __future__ import annotations

import dagster as dg
from pydantic import Field

_SECONDS = 10


class AlertsResource(dg.ConfigurableResource):
    """`send` tells; without an address it only says so in the log."""

    url: str = Field(default="", description="ALERT_WEBHOOK_URL")

    def send(self, text: str) -> bool:
        """Whether it was sent.

        Raises:
            TransientError: the webhook refuses or cannot be reached. Its address is a secret, which httpx would quote.
        """
        import httpx

        from ai_stack_assets.domain.common.failures import TransientError

        if not self.url:
            return False
        try:
            status = httpx.post(self.url, json={"text": text}, timeout=_SECONDS).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TransientError(f"ALERT_WEBHOOK_URL cannot be reached: {type(error).__name__}") from None
        if status >= 300:
            raise TransientError(f"ALERT_WEBHOOK_URL refuses: status {status}")
        return True
