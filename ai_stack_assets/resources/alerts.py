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
            httpx.HTTPError: the webhook refuses or cannot be reached.
        """
        import httpx

        if not self.url:
            return False
        httpx.post(self.url, json={"text": text}, timeout=_SECONDS).raise_for_status()
        return True
