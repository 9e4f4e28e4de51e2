"""A client of the library's own, made from the settings of `Elasticsearch`: account, authority, patience."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.search.elasticsearch_errors import SETTING, patient

if TYPE_CHECKING:
    import elasticsearch as es

    from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch


def connect(to: Elasticsearch) -> es.Elasticsearch:
    """Raises PermanentError for settings that cannot be; nothing is asked of the server yet."""
    import elasticsearch as es

    # encoded here: the client does it in ASCII, and a password may be Russian
    account = base64.b64encode(f"{to.user}:{to.password}".encode()).decode() if to.user else None
    authority: Any = {"ca_certs": to.ca} if to.ca else {}
    try:
        return es.Elasticsearch(
            to.url,
            api_key=to.api_key or None,
            basic_auth=account,
            **authority,
            request_timeout=to.request_seconds,
            max_retries=to.retries,
            retry_on_status=(),
            retry_on_timeout=False,
            transport_class=patient(to.retries),
        )
    except (ValueError, OSError) as error:
        wrong = f"{SETTING}, ELASTICSEARCH_CA" if to.ca else SETTING
        raise PermanentError(f"{to.server}: {error} (see the setting {wrong})") from error
