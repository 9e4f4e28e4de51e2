"""One small question to each store, asked after every synchronisation: proof that the store is of use.

A question without a text asks about the configuration itself; every answer is a short list of flat rows.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version

Rows = list[dict[str, Any]]

LIMIT = 10
_NEIGHBOURS = 3


def most_called_methods(graph: Any, version: Version, text: str = "") -> Rows:
    """Callers of one method (`text` is its id, or its name), or the most called methods with some of their callers.

    Raises PermanentError when there is no such method.
    """
    from ai_stack_assets.domain.stores.graph import queries

    methods = _methods_named(version, text) if text else []
    if text and not methods:
        raise PermanentError(f"{version.configuration} has no method {text!r}: give a name, or an id")
    with graph.reader(version.configuration) as reader:
        if text:
            return [
                dataclasses.asdict(step) for method in methods for step in queries.callers(reader, method)
            ]
        found = queries.most_called(reader, LIMIT)
        for row in found:
            row["called_by"] = ", ".join(step.id for step in queries.callers(reader, row["id"])[:_NEIGHBOURS])
    return found


def objects_by_text(search: Any, version: Version, text: str = "") -> Rows:
    """What a text finds; without one, whether objects are found by their own synonyms, and at which rank."""
    asked = {text: ""} if text else _synonyms(version)
    rows = []
    for words, meant in asked.items():
        hits = search.search(version.configuration, words, limit=LIMIT)
        if not meant:
            return [
                {"id": h.id, "kind": h.kind, "score": h.score, "highlights": _fragments(h.highlights)}
                for h in hits
            ]
        ids = [hit.id for hit in hits]
        rank = ids.index(meant) + 1 if meant in ids else None
        rows.append({"text": words, "object": meant, "rank": rank, "best": ids[0] if ids else None})
    return rows


def similar_methods(vectors: Any, version: Version, text: str = "") -> Rows:
    """Methods nearest to a text; without one, the nearest neighbours of some exported methods."""
    if text:
        found = vectors.similar(version.configuration, text=text, tables=["methods"], limit=LIMIT)
        return [{"id": f.payload["id"], "score": round(f.score, 4)} for f in found]
    rows = []
    for method in _exported_methods(version):
        found = vectors.similar(version.configuration, row_id=method, tables=["methods"], limit=_NEIGHBOURS)
        rows += [{"method": method, "similar": f.payload["id"], "score": round(f.score, 4)} for f in found]
    return rows


def methods_by_meaning_and_words(vectors: Any, search: Any, version: Version, text: str = "") -> Rows:
    """Methods that answer a question, by vectors and full text together."""
    from ai_stack_assets.domain.stores import hybrid

    if not text.strip():
        raise PermanentError("give a question: what the method does, in words")
    found = hybrid.methods(vectors, search, version.configuration, text, limit=LIMIT)
    return [
        {"id": f.id, "score": round(f.score, 3), "by_meaning": f.by_meaning, "by_words": f.by_words}
        for f in found
    ]


def table_sizes(postgres: Any, version: Version, text: str = "") -> Rows:
    """Rows and bytes of each table; with a text, the objects that it finds."""
    from ai_stack_assets.domain.stores.postgres import queries

    with postgres.connected() as connection:
        if text:
            return queries.objects_by_text(connection, version.configuration, text, limit=LIMIT)
        return queries.table_sizes(connection, version.configuration)


def _synonyms(version: Version) -> dict[str, str]:
    """Russian synonym of two words or more → the only object that has it; the first ten by id."""
    objects = version.table("objects", ["id", "synonym"])
    found: dict[str, str | None] = {}
    for own, synonym in zip(objects["id"].to_pylist(), objects["synonym"].to_pylist(), strict=True):
        words = msgspec.json.decode(synonym or "{}").get("ru", "")
        if " " in words:
            found[words] = None if words in found else own
    own_words = [(words, own) for words, own in found.items() if own and own.count(".") == 1]
    return dict(own_words[:LIMIT])


def _methods_named(version: Version, text: str) -> list[str]:
    """The method with this id, or all of this name, whatever the case."""
    low = text.lower()
    methods = version.table("methods", ["id", "name"]).to_pylist()
    return [m["id"] for m in methods if low in (m["id"].lower(), m["name"].lower())][:LIMIT]


def _exported_methods(version: Version) -> list[str]:
    """The longest ones: they say most."""
    methods = version.table("methods", ["id", "is_export", "statements"]).to_pylist()
    exported = [m for m in methods if m["is_export"]] or methods
    return [m["id"] for m in sorted(exported, key=lambda m: (-m["statements"], m["id"]))[:LIMIT]]


def _fragments(highlights: dict[str, list[str]]) -> str:
    """Where the words were found, each fragment once: a name is often in the code, too."""
    return " … ".join(dict.fromkeys(each for found in highlights.values() for each in found))
