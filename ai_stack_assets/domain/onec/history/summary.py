"""What history keeps of one top-level object at one moment: counts, and a digest of every object and method in it.

A summary depends on the object's own files alone, so it is kept by their content like the facts of a file: a version costs what
changed in it. Names are not resolved here: history counts calls, it does not follow them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import xxhash

from ai_stack_assets.domain.onec.buckets import without_gc
from ai_stack_assets.domain.onec.fact_cache import FactCache
from ai_stack_assets.domain.onec.git_commands import read_blobs
from ai_stack_assets.domain.onec.groups import GroupFiles, RowCollector
from ai_stack_assets.domain.onec.history.tree import GroupKey
from ai_stack_assets.domain.onec.layout import Root, SourceFile
from ai_stack_assets.domain.onec.model import Rejection
from ai_stack_assets.domain.onec.xml import MAX_BYTES


class Counts(msgspec.Struct, array_like=True):
    """Sums over the object's rows in the lake's tables."""

    fields: int = 0
    modules: int = 0
    lines: int = 0
    exports: int = 0
    statements: int = 0
    cyclomatic: int = 0
    cognitive: int = 0
    calls: int = 0
    queries: int = 0
    rejected: int = 0


class Summary(msgspec.Struct, array_like=True):
    objects: list[tuple[str, str, bytes]]
    """Id, kind, digest of all that its metadata says: itself, its fields, what they point to, its own query texts."""
    methods: list[tuple[str, str, bytes]]
    """Id, kind, hash of the source (`methods.body_hash`)."""
    counts: Counts


class Task(NamedTuple):
    """Some objects for one process: it reads their files from the repository and parses what nobody has parsed yet."""

    root: Root
    repository: Path
    groups: dict[str, GroupKey]
    cache_file: Path


class Read(NamedTuple):
    summaries: dict[str, bytes]
    """Encoded, by group."""
    parsed: int
    """Files whose content was new."""


def known(groups: Iterable[GroupKey], cache_file: Path) -> dict[bytes, Summary]:
    """Summaries of objects that were read before, by key."""
    with FactCache(cache_file) as cache:
        return {key: decode(value) for key, value in cache.get(group.key for group in groups).items()}


@without_gc
def read(task: Task) -> Read:
    """Summaries of the task's objects, kept for the next time too."""
    blobs = {path: blob for group in task.groups.values() for path, _, blob in group.files}
    contents = {path: data for path, data in read_blobs(task.repository, blobs) if data is not None}
    done = Read({}, 0)
    fresh: dict[bytes, bytes] = {}
    with FactCache(task.cache_file) as cache:
        for name, group in task.groups.items():
            files = _BlobFiles(task.root, group.files, cache, contents)
            done.summaries[name] = encoded = _encode(_summary(task.root, name, files))
            if len(files.states) == len(group.files):
                # one with content that the repository lacks is looked at again: a fetch may bring it
                fresh[group.key] = encoded
            done = done._replace(parsed=done.parsed + files.parsed)
        cache.put(fresh)
    return done


class _BlobFiles(GroupFiles):
    """The files of one object from memory. What the repository lacks counts as not there, as in a checkout."""

    def __init__(
        self,
        root: Root,
        files: Sequence[tuple[str, str, str]],
        cache: FactCache,
        contents: dict[str, bytes],
    ) -> None:
        self.contents = contents
        listed = [SourceFile(p, role, "", len(contents[p]), 0) for p, role, _ in files if p in contents]
        super().__init__(root, listed, cache)

    def _bytes(self, state: SourceFile) -> bytes:
        if state.size > MAX_BYTES:
            raise Rejection("too_large", f"{state.size / 2**20:.0f} MB, more than {MAX_BYTES // 2**20} MB")
        return self.contents[state.path]


_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Summary).decode


def _summary(root: Root, group: str, files: GroupFiles) -> Summary:
    rows = RowCollector(root)
    rows.add(group, files)
    tables, pending = rows.tables, rows.pending
    digests = {row.id: xxhash.xxh3_64(_encode(row)) for row in tables["objects"]}
    for row in [*tables["fields"], *pending.queries]:
        digests[row.object_id].update(_encode(row))
    for row in pending.references:
        digests[row.source_object_id].update(_encode(row))
    code = [files.modules[row.path].facts for row in tables["modules"] if row.path in files.modules]
    methods = tables["methods"]
    counts = Counts(
        fields=len(tables["fields"]),
        modules=len(tables["modules"]),
        lines=sum(row.lines for row in tables["modules"]),
        exports=sum(row.is_export for row in methods),
        statements=sum(row.statements for row in methods),
        cyclomatic=sum(row.cyclomatic for row in methods),
        cognitive=sum(row.cognitive for row in methods),
        calls=sum(len(facts.calls) for facts in code),
        queries=sum(len(facts.queries) for facts in code) + len(pending.queries),
        rejected=len(tables["rejected"]),
    )
    return Summary(
        [(row.id, row.kind, digests[row.id].digest()) for row in tables["objects"]],
        [(row.id, row.kind, bytes.fromhex(row.body_hash)) for row in methods],
        counts,
    )
