"""Reading one group (a top-level object with all its files) and collecting the rows of many. A file that cannot be read
becomes a rejected row with its reason; the others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ai_stack_assets.domain.bsl.decoding import Decoded, decode
from ai_stack_assets.domain.bsl.facts import ModuleFacts
from ai_stack_assets.domain.bsl.module import parse_module
from ai_stack_assets.domain.bsl.symbols import Symbols
from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.onec import module_rows
from ai_stack_assets.domain.onec.assembly import MetadataQuery, ModuleStub, assemble
from ai_stack_assets.domain.onec.buckets import STANDALONE
from ai_stack_assets.domain.onec.fact_cache import FactCache, facts_key
from ai_stack_assets.domain.onec.layout import Root, SourceFile
from ai_stack_assets.domain.onec.model import FileFacts, Rejection
from ai_stack_assets.domain.onec.reader import parse_file
from ai_stack_assets.domain.onec.tables import ReferenceRow, RejectedRow
from ai_stack_assets.domain.onec.xml import MAX_BYTES

MODULE = "module"
"""The role of a file with code; all others hold metadata."""

_encode = msgspec.msgpack.Encoder().encode
_decode_file = msgspec.msgpack.Decoder(FileFacts).decode
decode_module = msgspec.msgpack.Decoder(ModuleFacts).decode


class ModuleFile(NamedTuple):
    state: SourceFile
    source: Decoded
    facts: ModuleFacts
    encoded: bytes


class GroupFiles:
    """The files of one group, each read once; facts from the cache, or parsed now and put there.

    `known`: bytes by path of what was read already; taken out, so that they do not pile up.
    """

    def __init__(
        self,
        root: Root,
        listed: Iterable[SourceFile],
        cache: FactCache,
        known: dict[str, bytes] | None = None,
    ) -> None:
        self.root = root
        self._known = {} if known is None else known
        self.states: list[SourceFile] = []
        self.metadata: dict[str, FileFacts | None] = {}
        """By path; None for modules, rejected ones included: their owner still has them."""
        self.modules: dict[str, ModuleFile] = {}
        self.rejected: list[RejectedRow] = []
        self.parsed = self.cached = 0
        blobs = {}
        for state in listed:
            if state.role == MODULE:
                self.metadata[state.path] = None
            try:
                blobs[state.path] = data = self._bytes(state)
                self.states.append(state._replace(blob_hash=sha256_hex(data)))
            except Rejection as rejection:
                self._reject(state, rejection)
                self.states.append(state)
        self._parse(blobs, cache)

    def _bytes(self, state: SourceFile) -> bytes:
        if state.size > MAX_BYTES:
            limit = MAX_BYTES // 2**20
            raise Rejection("too_large", f"{state.size / 2**20:.0f} MB, more than {limit} MB: not read")
        try:
            data = self._known.pop(state.path, None)
            return (self.root.path / state.path).read_bytes() if data is None else data
        except OSError as error:
            raise Rejection("unreadable", str(error.strerror or error)) from error

    def _parse(self, blobs: dict[str, bytes], cache: FactCache) -> None:
        read = [state for state in self.states if state.path in blobs]
        keys = {s.path: facts_key(s.role, self.root.layout, s.blob_hash) for s in read}
        known = cache.get(keys.values())
        fresh: dict[bytes, bytes] = {}
        for state in read:
            key = keys[state.path]
            read_facts = self._module if state.role == MODULE else self._metadata
            try:
                encoded = read_facts(state, blobs[state.path], known.get(key))
            except Rejection as rejection:
                self._reject(state, rejection)
            except Exception as error:  # a reader's own fault must not cost the whole configuration
                self._reject(state, Rejection("reader_error", f"{type(error).__name__}: {error}"))
            else:
                if key in known:
                    self.cached += 1
                else:
                    self.parsed += 1
                    fresh[key] = encoded
        cache.put(fresh)

    def _metadata(self, state: SourceFile, data: bytes, encoded: bytes | None) -> bytes:
        facts = _decode_file(encoded) if encoded else parse_file(self.root.layout, state.role, data)
        self.metadata[state.path] = facts
        return encoded or _encode(facts)

    def _module(self, state: SourceFile, data: bytes, encoded: bytes | None) -> bytes:
        source = decode(data)
        if encoded:
            facts = decode_module(encoded)
        else:
            facts = parse_module(source.text) if source.status == "parsed" else module_rows.NO_CODE
            encoded = _encode(facts)
        self.modules[state.path] = ModuleFile(state, source, facts, encoded)
        return encoded

    def _reject(self, state: SourceFile, rejection: Rejection) -> None:
        self.rejected.append(
            RejectedRow(
                "", state.path, rejection.reason, rejection.message, rejection.line, rejection.column, True
            )
        )


class Pending(NamedTuple):
    """Rows of a bucket that wait for the symbols of the whole configuration."""

    references: list[ReferenceRow]
    modules: list[module_rows.ModuleLinks]
    queries: list[MetadataQuery]


class RowCollector:
    """Rows of the groups of one bucket, in order."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.tables: dict[str, list] = {table: [] for table in STANDALONE}
        self.pending = Pending([], [], [])
        self._rejections: Counter[str] = Counter()

    def add(self, group: str, files: GroupFiles) -> None:
        rows = assemble(self.root, group, files.metadata)
        self.tables["objects"] += rows.objects
        self.tables["fields"] += rows.fields
        self.pending.references.extend(rows.references)
        self.pending.queries.extend(rows.queries)
        lost = {row.path for row in files.rejected}
        for stub in rows.modules:
            self._add_module(stub, files.modules.get(stub.path), stub.path in lost)
        for row in [*files.rejected, *rows.rejected]:
            self._reject(row)

    def symbols(self) -> Symbols:
        tables = self.tables
        return Symbols(
            [row.id for row in tables["objects"]],
            [row.id for row in tables["fields"]],
            [(row.id, row.kind, row.object_id, row.is_global) for row in tables["modules"]],
            [(row.id, row.module_id, row.name, row.is_export) for row in tables["methods"]],
        )

    def _add_module(self, stub: ModuleStub, module: ModuleFile | None, is_lost: bool) -> None:
        if module is None:
            status = "rejected" if is_lost else "missing"
            self.tables["modules"].append(module_rows.module_row(stub, status, 0, "", module_rows.NO_CODE))
            return
        state, source, facts, encoded = module
        self.tables["modules"].append(
            module_rows.module_row(stub, source.status, state.size, state.blob_hash, facts)
        )
        ids = module_rows.method_ids(stub.id, facts)
        self.tables["methods"] += module_rows.method_rows(stub, ids, source.text, facts)
        self.pending.modules.append(module_rows.ModuleLinks(stub.id, stub.kind, stub.object_id, encoded))
        for problem in [*source.problems, *facts.problems]:
            self._reject(
                RejectedRow("", state.path, problem.reason, problem.message, problem.line, None, False)
            )

    def _reject(self, row: RejectedRow) -> None:
        row_id = f"{row.path}#{row.reason}"
        self._rejections[row_id] += 1
        count = self._rejections[row_id]
        self.tables["rejected"].append(row._replace(id=row_id if count == 1 else f"{row_id}#{count}"))
