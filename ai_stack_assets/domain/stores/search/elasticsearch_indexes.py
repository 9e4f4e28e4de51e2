"""The indexes of one configuration on an Elasticsearch server: which one is searched, and how another takes its place.

    onec-<slug>                  alias: what is searched
    onec-<slug>-v<mapping>-<n>   index; its `_meta` says that it is complete, and how far we have written

The server has no transactions, and after a restart it shows whatever its journal holds. So nothing is ever written to an
index that is searched: a difference goes into a copy of it, which the server makes of links to the same files (0.5 s for
42,000 documents of 100 MB), a first load, a new mapping and a rebuild into an empty one. No documents here.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.elasticsearch_errors import SETTING
from ai_stack_assets.domain.stores.search.elasticsearch_query import SETTINGS, mappings

if TYPE_CHECKING:
    import elasticsearch as es

PREFIX = "onec-"
_CLOSED = "index.blocks.write"


def alias(configuration: str) -> str:
    return PREFIX + slug(configuration)


def all_of(client: es.Elasticsearch, configuration: str) -> list[str]:
    found = client.indices.get(
        index=f"{alias(configuration)}-v*", expand_wildcards="all", features=["aliases"]
    )
    return list(found)


def current(client: es.Elasticsearch, configuration: str) -> tuple[str, int]:
    """The index behind the alias, and our last write to it; none when it is of another mapping, or was not completed."""
    found = client.options(ignore_status=404).indices.get(
        index=alias(configuration), features=["mappings", "settings"]
    )
    for index, about in found.items() if found.meta.status == 200 else ():
        meta = about["mappings"].get("_meta", {})
        if f"-v{docs.MAPPING}-" in index and meta.get("is_complete"):
            if about["settings"]["index"].get("blocks", {}).get("write") == "true":
                _close(client, index, None)  # a run was killed while it made a copy
            return index, meta["written_up_to"]
    return "", -1


def beside(client: es.Elasticsearch, configuration: str, index: str) -> str:
    """A new index that nobody searches, with the documents of this one (of none when empty). Those that interrupted runs
    left go."""
    aliased = client.options(ignore_status=404).indices.get_alias(name=alias(configuration))
    kept = aliased if aliased.meta.status == 200 else ()
    for left in all_of(client, configuration):
        if left not in kept:
            client.indices.delete(index=left, ignore_unavailable=True)
    name = f"{alias(configuration)}-v{docs.MAPPING}-{uuid.uuid4().hex[:8]}"
    if index:
        made = _copied(client, index, name)
    else:
        made = client.indices.create(index=name, mappings=mappings(configuration), settings=SETTINGS)
    if not made["shards_acknowledged"]:
        raise TransientError(f"the server has no place for {name} (setting {SETTING})")
    return name


def publish(client: es.Elasticsearch, configuration: str, index: str, written_up_to: int) -> None:
    """By one atomic request the alias moves to this index, and the others go."""
    meta = {"configuration": configuration, "is_complete": True, "written_up_to": written_up_to}
    client.indices.put_mapping(index=index, meta=meta)
    others = [other for other in all_of(client, configuration) if other != index]
    actions: list[dict[str, Any]] = [{"remove_index": {"index": other}} for other in others]
    client.indices.update_aliases(
        actions=[*actions, {"add": {"index": index, "alias": alias(configuration)}}]
    )


def _copied(client: es.Elasticsearch, index: str, name: str) -> Any:
    """The server copies only what nobody writes to meanwhile."""
    _close(client, index, True)
    try:
        return client.indices.clone(index=index, target=name, settings={_CLOSED: None})
    finally:
        _close(client, index, None)


def _close(client: es.Elasticsearch, index: str, value: bool | None) -> None:
    client.indices.put_settings(index=index, settings={_CLOSED: value})
