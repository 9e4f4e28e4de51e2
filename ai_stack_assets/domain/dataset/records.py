"""The one record of the BSL dataset: what a row is, its columns, and how its hashes and ids come about. No reading, no writing.

A record is one method (a procedure or a function) or, from an article, one code sample. The three sources make records with
`record()`; every later stage keeps these columns, fills those that are its own, and adds none of its own to what is published.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import xxhash

from ai_stack_assets.domain.common.hashing import text_hash

if TYPE_CHECKING:
    import pyarrow as pa

POSTGRES, GITHUB, ITS = "postgres", "github", "its"
SOURCES = (POSTGRES, GITHUB, ITS)
VERSION = "1"
"""Of the record: another one makes every stage anew."""

COLUMNS: dict[str, tuple[str, str]] = {
    "id": (
        "string",
        "xxh3 of source, repository, path, module type and method name, with the ordinal of twins; hex",
    ),
    "source": ("string", "`postgres`, `github` or `its`"),
    "repository": (
        "string",
        "`owner/name`, the address of a git server, the configuration's name, or the section of ITS",
    ),
    "commit": (
        "string",
        "Commit that the code was read at; the state of the tables for `postgres`; empty for `its`",
    ),
    "path": ("string", "File in the repository, `/` between parts; the article's address for `its`"),
    "start_line": ("int32", "First line of the code in its file, from 1; the sample's ordinal for `its`"),
    "licence": ("string", "SPDX identifier; `NOASSERTION` when unknown"),
    "is_publishable": ("bool", "True when the licence and the owner allow it into a published dataset"),
    "stars": ("int32", "Stars of the repository; 0 when it has none"),
    "changed_at": ("timestamp[us, tz=UTC]", "Time of the commit or of the article; null when unknown"),
    "configuration": ("string", "Name of the 1C configuration; empty when unknown"),
    "object": ("string", "`Catalog.Валюты`, `CommonModule.ОбщегоНазначения`; empty when unknown"),
    "module_type": (
        "string",
        "`CommonModule`, `ObjectModule`, `FormModule`…; `Sample` for `its`; empty when unknown",
    ),
    "method_name": ("string", "Name of the procedure or function; empty for a sample that is none"),
    "signature": (
        "string",
        "`Функция Имя(Знач А, Б = 1) Экспорт` on one line; empty for a sample that is none",
    ),
    "is_export": ("bool", "Declared with Экспорт"),
    "directive": ("string", "`&НаКлиенте`, `&НаСервере`…; empty when none"),
    "doc_comment": (
        "string",
        "Text of the comment above the method, without `//`; title and text of the article for `its`",
    ),
    "code": ("string", "Source of the method from its declaration to its end, `\\n` between lines"),
    "tokens": ("int32", "BSL tokens in `code`, comments not counted"),
    "content_hash": (
        "string",
        "xxh3-128 of `code` with whitespace normalised, hex: equal for exact duplicates",
    ),
    "quality_score": ("float32", "0 to 1, see the quality stage; 0 until then"),
    "provenances": (
        "list<struct<source, repository, commit, path, start_line, licence>>",
        "Every place that the same code was found at, this one included",
    ),
}
"""Name → type and meaning, in order."""


@cache
def schema() -> pa.Schema:
    """`pyarrow.Schema` of a record, with the meanings as field metadata."""
    import pyarrow as pa

    text = pa.string()
    place = [(n, text) for n in ("source", "repository", "commit", "path")]
    place += [("start_line", pa.int32()), ("licence", text)]
    types: dict[str, Any] = {
        "string": text,
        "int32": pa.int32(),
        "bool": pa.bool_(),
        "float32": pa.float32(),
        "timestamp[us, tz=UTC]": pa.timestamp("us", "UTC"),
    }
    return pa.schema(
        pa.field(
            name,
            types.get(kind) or pa.list_(pa.struct(place)),
            nullable=name == "changed_at",
            metadata={"description": meaning},
        )
        for name, (kind, meaning) in COLUMNS.items()
    )


def record(*, twin: int = 0, **values: Any) -> dict[str, Any]:
    """A record from what its source knows; `id`, `content_hash` and `provenances` follow from that, the rest is empty.

    Args:
        twin: 0 for the first of several methods that share source, repository, path, module type and name.
        **values: any columns; `source`, `repository`, `path` and `code` are required.
    """
    row = {**_EMPTY, **values}
    names = ("source", "repository", "path", "module_type", "method_name")
    key = "\x1f".join(
        [*(str(row[name]) for name in names), str(row["start_line"] if row["source"] == ITS else twin)]
    )
    row["id"] = xxhash.xxh3_64_hexdigest(key.encode())
    row["content_hash"] = text_hash(normalised(row["code"]))
    row["provenances"] = [{name: row[name] for name in _PLACE}]
    return row


def normalised(code: str) -> str:
    """Code with every run of whitespace as one blank: what exact duplicates have in common."""
    # the same blanks as `\s`, at half the price of an expression
    return " ".join(code.split())


_PLACE = ("source", "repository", "commit", "path", "start_line", "licence")
_EMPTY: dict[str, Any] = {
    name: {"string": "", "int32": 0, "bool": False, "float32": 0.0}.get(kind)
    for name, (kind, _) in COLUMNS.items()
} | {"licence": "NOASSERTION"}
