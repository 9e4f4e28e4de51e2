"""What ails the full-text search, see `stores.doctor`: an Elasticsearch server, or the embedded index."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.doctor import Findings
from ai_stack_assets.domain.stores.places import installed, try_folder
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_errors import SETTING
from ai_stack_assets.domain.stores.search.elasticsearch_query import SETTINGS, mappings
from ai_stack_assets.domain.stores.search.tantivy_store import Tantivy, damage_named

if TYPE_CHECKING:
    import elasticsearch as es

    from ai_stack_assets.domain.stores.search.elasticsearch_store import Elasticsearch

SUPPORTED = 9
"""The client of version 9 speaks to no older server."""
_PROBE = "onec-doctor-"


def diagnose(client: Tantivy | Elasticsearch) -> Findings:
    return _embedded(client) if isinstance(client, Tantivy) else _server(client)


def _server(client: Elasticsearch) -> Findings:
    with client.connected() as connection:
        version = connection.info()["version"]["number"]
        health = connection.cluster.health()["status"]
        if health == "red":
            raise TransientError(f"{client.server} ({SETTING}) has lost shards: its status is red")
        yield "reachable", f"{client.server}, {health}"
        if int(version.partition(".")[0]) != SUPPORTED:
            raise PermanentError(
                f"{client.server} is version {version}, {SUPPORTED} is needed: name another in {SETTING}"
            )
        yield "version", f"Elasticsearch {version}"
        _try_rights(connection)
        yield "rights", "created, wrote and removed an index"
        yield "schema", _schema(connection)


def _try_rights(connection: es.Elasticsearch) -> None:
    """An index of its own with our mapping, so that what a server cannot do shows too."""
    index = f"{_PROBE}{uuid.uuid4().hex}"
    try:
        connection.indices.create(index=index, mappings=mappings(index), settings=SETTINGS)
        connection.index(index=index, id="1", document={"id": "1"}, refresh=True)
        connection.indices.update_aliases(actions=[{"add": {"index": index, "alias": f"{index}-alias"}}])
    finally:
        connection.indices.delete(index=index, ignore_unavailable=True)


def _schema(connection: es.Elasticsearch) -> str:
    """Of the indexes that are searched: made with this mapping, and not closed for writing by a full disk."""
    found = connection.indices.get(index="onec-*", expand_wildcards="open", features=["aliases", "settings"])
    searched = {
        name: about for name, about in found.items() if about.get("aliases") and not name.startswith(_PROBE)
    }
    for name, about in searched.items():
        if any(value == "true" for value in about["settings"]["index"].get("blocks", {}).values()):
            raise PermanentError(
                f"{name} is closed for writing, as a full disk makes it: free room on the server ({SETTING})"
            )
    old = [name for name in searched if f"-v{docs.MAPPING}" not in name]
    if old:
        raise PermanentError(
            f"{', '.join(old)}: mapping of another release, the next run builds it anew beside the old one"
        )
    return (
        f"{len(searched)} configurations, mapping {docs.MAPPING}"
        if searched
        else "none yet, the first run makes it"
    )


def _embedded(client: Tantivy) -> Findings:
    import tantivy

    try_folder(client.root)
    yield "reachable", str(client.root)
    yield "version", f"tantivy {installed('tantivy')}"
    yield "rights", "wrote, locked and removed a file"
    names = client.configurations()
    for name in names:
        current = client.folder(name) / "current"
        if not current.readlink().name.startswith(docs.MAPPING):
            raise PermanentError(
                f"the index {current} has the mapping of another release, the next run builds it anew"
            )
        with damage_named(current):
            tantivy.Index.open(str(current.resolve())).searcher()
    yield "schema", f"indexes of {len(names)} configurations open"
