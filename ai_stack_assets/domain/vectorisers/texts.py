"""What of a method and of an object is vectorised: the text. No vectors here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.identifiers import split

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

TEXTS_VERSION = "1"
"""Raise when the texts below change: all vectors are then computed again."""
MAX_BODY = 20_000
"""Characters of a body: 99.9 % of methods whole, and no generated one of a megabyte."""
MAX_FIELDS = 300
"""Names of fields that describe one object."""
NOT_DESCRIPTIVE = ("FormItem",)
"""Fields whose names repeat other names: a form's items are named after its attributes."""
METHOD_COLUMNS = ("name", "doc_comment", "body")
OBJECT_COLUMNS = ("name", "kind", "synonym", "comment")


def method_text(name: str, doc_comment: str, body: str) -> str:
    """Name in words, doc comment, code; the code's first line is the signature."""
    return f"{' '.join(split(name))}\n{doc_comment}\n{body[:MAX_BODY]}"


def object_text(name: str, kind: str, synonym: str, comment: str, fields: str) -> str:
    """Name in words, synonyms of all languages, comment, kind, names of its fields."""
    synonyms = "\n".join(json.loads(synonym or "{}").values())
    return f"{' '.join(split(name))}\n{synonyms}\n{comment}\n{kind}\n{fields}"


def texts_of(collection: str, rows: pa.Table | pa.RecordBatch, fields: dict[str, str]) -> list[str]:
    """Texts of rows of `methods` or `objects`; `fields` as `field_names` gives them."""
    if collection == "methods":
        return [method_text(*row) for row in _tuples(rows, METHOD_COLUMNS)]
    return [object_text(*row, fields.get(id_, "")) for id_, *row in _tuples(rows, ("id", *OBJECT_COLUMNS))]


def field_names(version: Version) -> dict[str, str]:
    """Per object id the names of its fields in order, as one line."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names: dict[str, list[str]] = {}
    for batch in version.batches("fields", ("object_id", "kind", "name"), rows=65536):
        kept = batch.filter(pc.invert(pc.is_in(batch.column("kind"), pa.array(NOT_DESCRIPTIVE))))
        for object_id, name in _tuples(kept, ("object_id", "name")):
            names.setdefault(object_id, []).append(name)
    return {object_id: " ".join(found[:MAX_FIELDS]) for object_id, found in names.items()}


def corpus(version: Version, rows: int = 2048) -> Iterator[list[str]]:
    """All texts of a version, in batches: objects, then methods."""
    fields = field_names(version)
    for batch in version.batches("objects", ("id", *OBJECT_COLUMNS), rows):
        yield texts_of("objects", batch, fields)
    for batch in version.batches("methods", METHOD_COLUMNS, rows):
        yield texts_of("methods", batch, {})


def _tuples(rows: pa.Table | pa.RecordBatch, columns: tuple[str, ...]) -> Iterator[tuple]:
    return zip(*(rows.column(name).to_pylist() for name in columns), strict=True)
