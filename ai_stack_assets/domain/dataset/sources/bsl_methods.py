"""Methods of one BSL file, and whose module it is by its path alone. Bytes in, facts out; `records` adds where they lie.

Facts know nothing of the path, so they are kept by content: a file is parsed once ever, whatever repositories hold it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import xxhash

from ai_stack_assets.domain.bsl.decoding import decode
from ai_stack_assets.domain.bsl.facts import ModuleFacts
from ai_stack_assets.domain.bsl.module import parse_module
from ai_stack_assets.domain.dataset import declarations
from ai_stack_assets.domain.dataset.declarations import DIRECTIVES, count_tokens, declaration
from ai_stack_assets.domain.dataset.records import record
from ai_stack_assets.domain.onec.fact_cache import reader_version
from ai_stack_assets.domain.onec.kinds import MODULE_FILES, module_kind
from ai_stack_assets.domain.onec.places import TOP_FOLDERS, place_of

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r"))
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LEAST_TEXT = 0.98
"""Of compressed data read as cp1251 a tenth are control characters, of a text none."""


class MethodFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A method apart from where its file lies. Fields as the columns of a record."""

    method_name: str
    signature: str
    is_export: bool
    directive: str
    doc_comment: str
    code: str
    tokens: int
    start_line: int


class FileFacts(msgspec.Struct, frozen=True, array_like=True):
    """`status`: `parsed`, `empty`, `protected` (compiled), `rejected` (no text). `problem` says what is wrong, if anything."""

    status: str
    methods: list[MethodFacts]
    problem: str = ""


class ModulePlace(NamedTuple):
    object: str
    """`Catalog.Валюты`, `Catalog.Валюты.Form.ФормаСписка`; empty when the path does not say."""
    module_type: str


def parse_file(data: bytes) -> FileFacts:
    """All methods of a file. Never raises: what is broken is named in `problem`, the rest is read."""
    text, status, problems = decode(data)
    if problems and _is_binary(data):
        return FileFacts("rejected", [], "binary data, not a module")
    facts = parse_module(text) if status == "parsed" else ModuleFacts(0, [], [], [], [], [], [], [])
    problems = [*problems, *facts.problems]
    methods = [
        MethodFacts(
            m.name,
            declaration(text[m.start : m.end], m.signature, is_export=m.is_export),
            m.is_export,
            DIRECTIVES.get(m.directive or "", ""),
            m.doc_comment,
            text[m.start : m.end],
            count_tokens(text[m.start : m.end]),
            m.start_line,
        )
        for m in facts.methods
    ]
    return FileFacts(status, methods, "; ".join(f"line {p.line}: {p.message}" for p in problems[:5]))


def _is_binary(data: bytes) -> bool:
    is_wide = data.startswith(_UTF_16)
    return not is_wide and len(data.translate(None, _CONTROLS)) < len(data) * _LEAST_TEXT


def records(facts: FileFacts, **place: Any) -> Iterator[dict[str, Any]]:
    """Records of a file's methods, in order.

    Args:
        **place: the columns that all of them share: source, repository, commit, path, licence…
    """
    twins: Counter[str] = Counter()
    for method in facts.methods:
        yield record(twin=twins[method.method_name], **place, **msgspec.structs.asdict(method))
        twins[method.method_name] += 1


def module_place(path: str) -> ModulePlace:
    """Whose module a file is, in a Designer dump or an EDT project at any depth; what cannot be told is empty."""
    parts = path.split("/")
    stem = parts[-1].rpartition(".")[0]
    # an object may be named as a folder is: `DataProcessors/Tasks/…`
    starts = [
        i
        for i, part in enumerate(parts[:-2])
        if part in TOP_FOLDERS and not (i and parts[i - 1] in TOP_FOLDERS)
    ]
    if starts:
        place = place_of("Configuration", "/".join(parts[starts[-1] :]))
        if place.module:
            return ModulePlace(place.owner_id, module_kind(place.owner_kind, stem))
    if stem == "Module" and "Forms" in parts[:-2]:
        return ModulePlace("", "FormModule")
    return ModulePlace("", stem if stem in MODULE_FILES and stem != "Module" else "")


def facts_key(blob: str) -> bytes:
    """Key of a file's facts in the cache: its content and the code that reads it."""
    return xxhash.xxh3_128_digest(f"{_version()}/{blob}".encode())


@cache
def _version() -> str:
    own = Path(__file__).read_bytes() + Path(declarations.__file__).read_bytes()
    return reader_version() + hashlib.sha256(own).hexdigest()[:8]
