"""What is searched: lake rows as documents, the same for every engine. No engine and no query here.

A document has its original text, to be shown, and beside it the same text as terms
(`domain.common.identifiers`), to be found. Terms are made here once, so that an engine only splits at blanks
and all engines find the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import xxhash

from ai_stack_assets.domain.common.identifiers import tokenised
from ai_stack_assets.domain.stores import rows

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

Document = dict[str, Any]

COLUMNS: dict[str, list[str]] = {
    "objects": ["id", "kind", "name", "synonym", "comment", "owner_id", "belonging", "content_hash"],
    "methods": [
        *("id", "kind", "name", "object_id", "module_id", "is_export", "directive", "region", "signature"),
        *("doc_comment", "start_line", "body", "content_hash"),
    ],
}
"""Collection (a lake table) -> the columns that its documents are made of."""

TEXTS: dict[str, float] = {"name": 8.0, "synonym": 5.0, "owner": 3.0, "doc": 2.0, "code": 1.0}
"""Searched text -> its weight. A name says what a thing is; code only mentions things."""

PHRASES = ("name", "synonym", "doc")
"""Texts where words standing together count more. Code goes without positions: a third of the index."""

KEYWORDS = ("id", "collection", "kind", "owner_id", "module_kind", "directive")
"""Matched as a whole."""
STORED = (*KEYWORDS, "name", "synonym", "doc", "code", "signature", "region", "is_export", "line")
"""Shown with a hit."""

ALGORITHM = 2
"""Raise when documents or their terms change while the declarations above do not."""

MAPPING = xxhash.xxh3_64_hexdigest(repr((COLUMNS, TEXTS, PHRASES, STORED, ALGORITHM)).encode())[:8]
"""An index made with another mapping is built anew beside the old one, then takes its place."""


def terms_field(text: str) -> str:
    return f"{text}_terms"


def key(collection: str, id_: str) -> str:
    """Document key, 32 hex digits: full names can be longer than the 512 bytes that Elasticsearch allows."""
    return xxhash.xxh3_128_hexdigest(f"{collection}:{id_}".encode())


def documents(
    version: Version, collection: str, ids: pa.Array | None, size: int = 1024
) -> Iterator[list[Document]]:
    """Documents of the rows with these ids (all when None), in lists of at most `size`."""
    make = _of_method if collection == "methods" else _of_object
    for batch in rows.batches(version, collection, ids, COLUMNS[collection], size):
        yield [_with_terms(make(row), collection, row) for row in batch.to_pylist()]


def _of_method(row: dict[str, Any]) -> Document:
    return {
        "name": row["name"],
        "synonym": "",
        "owner_id": row["object_id"],
        "module_kind": row["module_id"].rpartition(".")[2],
        "directive": row["directive"] or "",
        "doc": row["doc_comment"],
        "code": row["body"],
        "signature": row["signature"],
        "region": row["region"],
        "is_export": row["is_export"],
        "line": row["start_line"],
    }


def _of_object(row: dict[str, Any]) -> Document:
    return {
        "name": row["name"],
        "synonym": "\n".join(filter(None, json.loads(row["synonym"]).values())),
        "owner_id": row["owner_id"] or "",
        "module_kind": "",
        "directive": "",
        "doc": row["comment"],
        "code": "",
        "signature": "",
        "region": "",
        "is_export": False,
        "line": 0,
    }


def _with_terms(document: Document, collection: str, row: dict[str, Any]) -> Document:
    document.update(id=row["id"], collection=collection, kind=row["kind"], content_hash=row["content_hash"])
    for text in TEXTS:
        source = own_names(document["owner_id"]) if text == "owner" else document[text]
        document[terms_field(text)] = tokenised(source)
    return document


def own_names(full_name: str) -> str:
    """`Catalog.Валюты.Form.ФормаСписка` -> `Валюты ФормаСписка`: without the words that say the kind."""
    return " ".join(full_name.split(".")[1::2])
